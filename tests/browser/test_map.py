"""The map in JupyterLab: a notebook's last link opens it to be read, and its own links lead to a cell of an open notebook."""

OPENED = "() => jupyterapp.shell.currentWidget.context?.path.endsWith('09_surviving.ipynb') && %s"
IN_VIEW = """(() => {
    const cell = jupyterapp.shell.currentWidget.content.widgets.find(one => one.model.id === 'surviving-54');
    const place = cell?.node.getBoundingClientRect();
    return Boolean(place?.height) && place.top >= 0 && place.top < window.innerHeight;
})()"""
BACK = """() => {
    const map = [...jupyterapp.shell.widgets('main')].find(one => one.context?.path.endsWith('map.md'));
    jupyterapp.shell.activateById(map.id);
}"""


def test_a_link_of_the_map_leads_to_a_cell(tab):
    tab.open("notebooks/08_below_tcp.ipynb")
    tab.page.click('a:has-text("The map")')
    row = '.jp-MarkdownViewer tr:has-text("a client that comes back") a'
    tab.page.click(row)
    tab.page.wait_for_function(OPENED % "jupyterapp.shell.currentWidget.content.widgets.length > 20")
    tab.page.evaluate(BACK)  # JupyterLab 4.6 opens a notebook at its top, and leads to a cell from then on
    tab.page.click(row)
    tab.page.wait_for_function(OPENED % IN_VIEW)
