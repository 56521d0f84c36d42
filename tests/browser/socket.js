/*
 * For test_pictures.js, in the page's worker: a WebSocket whose other end is the test. Loaded before the viewer's own
 * worker.js, which cannot tell the difference.
 */
const channel = new BroadcastChannel("socket");
let number = 0;

class ScriptedSocket {
	static CONNECTING = 0;
	static OPEN = 1;
	readyState = ScriptedSocket.CONNECTING;
	bufferedAmount = 0;
	#number = ++number;
	#listener = ({ data }) => {
		if (data.to === this.#number && this.readyState === ScriptedSocket.OPEN)
			this.onmessage({ data: data.packet });
	};

	constructor() {
		channel.addEventListener("message", this.#listener);
		setTimeout(() => {
			this.readyState = ScriptedSocket.OPEN;
			this.onopen();
		});
	}

	send(bytes) {
		channel.postMessage({ from: this.#number, bytes });
	}

	close(code) {
		this.readyState = 3;
		channel.removeEventListener("message", this.#listener);
		channel.postMessage({ from: this.#number, closed: code });
	}
}
globalThis.WebSocket = ScriptedSocket;

/* Browsers without it draw a JPEG and read it back. */
if (location.search === "?plain")
	delete globalThis.ImageDecoder;
