"""run_with_page() in JupyterLab in Chromium: the page of the notebook is the client."""

import json

import pytest

IMPORTS = "from labkit import Cut, Experiment, Peer, run, run_with_page\nfrom labkit.trace.recordings import recorded"
OUTPUT = ".jp-OutputArea-output"
PAGE = ".labkit-page"


def cell(close_timeout, cut, patience=30):
    server = f"Peer(ping_interval=1, ping_timeout=1, close_timeout={close_timeout})"
    return f"trace = run_with_page(Experiment(server={server}, faults=[{cut}]), patience={patience})"


def fact(tab, source):
    """What an expression about the trace comes to."""
    tab.add(f"import json; print(json.dumps({source}))")
    return json.loads(tab.output())


def test_ready_state_stays_1_after_the_cut_while_the_server_has_closed(tab):
    tab.open(tab.lab.write("page.ipynb", IMPORTS, cell(0.5, "Cut(at=1.5)")))
    tab.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")
    tab.wait_for_text(OUTPUT, "readyState is 1 OPEN")
    tab.wait_for_text(OUTPUT, "methods: close, send")
    tab.wait_for_text(PAGE, "onclose was not called")
    tab.wait_for_text(PAGE, "none of them sends a ping")
    closed, looks = fact(tab, '[trace.closed_at("server"), [[one.t, one.data["value"]] for one in trace.select("ready_state", "client")]]')
    assert [value for t, value in looks if t > closed] == [1] * sum(t > closed for t, _ in looks) != []
    assert tab.problems() == []


@pytest.mark.parametrize("close_timeout, cut, code", [(0.2, "Cut(at=1.5, heal=4)", 1006), (5, "Cut(at=1.5, heal=4)", 1011)])
def test_onclose_says_what_our_own_client_is_told(tab, close_timeout, cut, code):
    tab.show(IMPORTS, cell(close_timeout, cut))
    tab.wait_for_text(PAGE, f"code {code}, wasClean {str(code == 1011).lower()}")
    codes = '[[one.code for one in it.raised("client")] for it in (trace, run(trace.experiment, "virtual", progress=False))]'
    assert fact(tab, codes) == [[code], [code]]
    assert fact(tab, '"username" in str(trace.log("server"))') is False, "Jupyter's cookie is in the log"


def test_a_saved_notebook_dials_nobody(tab):
    tab.show(IMPORTS, cell(0.2, "Cut(at=0.5)"))
    tab.wait_for_text(PAGE, "onclose was not called")
    tab.page.evaluate("async () => await jupyterapp.commands.execute('docmanager:save')")
    saved = (tab.lab.files / tab.path).read_text()
    assert "onclose was not called" in saved and "new WebSocket" not in saved


def test_where_the_page_cannot_dial_the_kernel_the_recorded_trace_stands_in(tab):
    name = tab.lab.write("elsewhere.ipynb", IMPORTS, cell(0.2, "Cut(at=0.5)", patience=2))
    tab.page.route_web_socket(lambda url: "/api/" not in url, lambda socket: socket.close())
    tab.open(name)
    tab.run_all()
    tab.wait_for_text(PAGE, "No page has connected")
    assert fact(tab, 'trace.header["made"] == recorded("page-1006").header["made"]')
    assert tab.problems() == []
