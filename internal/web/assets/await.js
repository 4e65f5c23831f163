// Waits until the worker has done its part of a file, then loads the page again. Without this a link does the same.
const waiting = document.querySelector("[data-await]");

async function ask() {
	try {
		const response = await fetch(waiting.dataset.await);
		if (!response.ok || response.redirected || await response.text() !== waiting.dataset.state) return location.reload();
	} catch { /* the service does not answer: ask again */ }
	setTimeout(ask, 1500);
}

setTimeout(ask, 500);
