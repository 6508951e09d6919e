// Search runs in a worker, and browsers start no worker from a file. For pages that are read without a
// server, this one runs its script in a hidden frame instead, with the same messages.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      // A frame of the page's own origin: its script may reply by a plain call.
      window.__answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const reply = "var postMessage = (data) => parent.__answer(data);";
      const source = new URL(url, location.href);
      frame.srcdoc = `<script>${reply}</script><script src="${source}"></script>`;
      this.ready = new Promise((resolve) => frame.addEventListener("load", resolve));
      this.ready.then(() => (this.target = frame.contentWindow));
      document.body.append(frame);
    }
    postMessage(data) {
      this.ready.then(() => this.target.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
