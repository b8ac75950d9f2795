// A page as a WebSocket client: all it can know of its connection, shown and told to the kernel.
// CONFIG holds the element's id, the address of the experiment's server behind its wire ("wire"),
// and the address of another server, which is never cut, to tell to ("report").
(({id, report, wire}) => {
  const WORDS = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
  const [now, list] = ["p", "ul"].map(tag => document.getElementById(id).querySelector(tag));
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
  const say = words => {
    const line = document.createElement("li");
    line.textContent = words;
    list.append(line);
  };
  const kernel = new WebSocket(report);
  let socket, timer;

  // Own functions of every WebSocket, in this browser. A ping would have to be one of them.
  const own = Object.getOwnPropertyDescriptors(WebSocket.prototype);
  const methods = Object.keys(own).filter(
    name => name !== "constructor" && typeof own[name].value === "function");

  const look = more => {
    const readyState = socket.readyState;
    now.textContent = `readyState is ${readyState} ${WORDS[readyState]} after ${seconds()} s`;
    if (kernel.readyState === WebSocket.OPEN) {
      kernel.send(JSON.stringify({readyState, ...more}));
    }
  };

  kernel.onopen = () => {
    kernel.send(JSON.stringify({methods, browser: navigator.userAgent}));
    say(`methods: ${methods.join(", ")}; none of them sends a ping`);
    socket = new WebSocket(wire);
    look();
    socket.onopen = () => { say(`onopen at ${seconds()} s`); look(); };
    socket.onerror = () => say(`onerror at ${seconds()} s: it says nothing more`);
    socket.onclose = ({code, reason, wasClean}) => {
      say(`onclose at ${seconds()} s: code ${code}, wasClean ${wasClean}`);
      look({code, reason, wasClean});
      clearInterval(timer);
    };
    timer = setInterval(look, 1000);
  };
  kernel.onclose = () => {
    clearInterval(timer);
    if (!socket) say("This page cannot reach the kernel, or another page is the client already.");
    socket?.close();
  };
})(CONFIG);
