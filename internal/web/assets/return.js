// Returning badges without loading the page for each: a scan is sent in the background, in order, the answer put in its
// place and a tone played. Without this the form does the same, a page at a time.
const form = document.querySelector("[data-return]");
const field = form.elements.barcode;
const sound = document.getElementById("sound");
const answer = document.getElementById("scan-answer");
let audio; // made at the first key, since browsers play nothing before
let queue = Promise.resolve();

sound.closest("[data-sound]").hidden = false;
sound.checked = localStorage.getItem("sound") !== "off";
sound.addEventListener("change", () => localStorage.setItem("sound", sound.checked ? "on" : "off"));
document.addEventListener("keydown", () => { audio ??= new AudioContext(); });

// tone plays one high note when all is well, two low ones when something is wrong.
function tone(kind) {
	if (!audio || !sound.checked) return;
	for (const [start, frequency] of kind === "ok" ? [[0, 880]] : [[0, 220], [0.22, 180]]) {
		const note = audio.createOscillator(), volume = audio.createGain();
		note.type = kind === "ok" ? "sine" : "square";
		note.frequency.value = frequency;
		volume.gain.value = 0.15;
		note.connect(volume).connect(audio.destination);
		note.start(audio.currentTime + start);
		note.stop(audio.currentTime + start + 0.16);
	}
}

// failed says that a badge was not taken back; it stays on the page until the next answer.
function failed(code) {
	const box = document.createElement("div");
	box.className = "dv-scan dv-scan--problem";
	const text = document.createElement("p");
	text.className = "dv-scan__heading";
	text.textContent = `✗ Not sent: ${code}`;
	const more = document.createElement("p");
	more.textContent = "The service did not answer. Scan this badge again.";
	box.append(text, more);
	answer.replaceChildren(box);
	tone("problem");
}

async function send(body) {
	const code = body.get("barcode");
	try {
		const response = await fetch(form.action, { method: "POST", body });
		if (!response.ok) return failed(code);
		const page = new DOMParser().parseFromString(await response.text(), "text/html");
		const fresh = page.getElementById("scan-answer");
		if (!fresh) return location.reload(); // signed out
		answer.replaceChildren(...fresh.children);
		document.getElementById("scan-list").replaceWith(page.getElementById("scan-list"));
		tone(answer.querySelector("[data-tone]")?.dataset.tone);
	} catch {
		failed(code);
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	const body = new URLSearchParams(new FormData(form));
	field.value = "";
	field.focus();
	if (body.get("barcode").trim()) queue = queue.then(() => send(body));
});
