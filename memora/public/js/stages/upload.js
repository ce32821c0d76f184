// A file of this computer becomes one of the site's, in place: the server looks at it as a build will (memora.api.stage_files).

// What a field takes, as `accept` of an input has it. The server decides; a site may allow more than these.
export const ACCEPT = {
	image: ".png,.jpg,.jpeg,.gif,.webp,.avif,.svg",
	sound: ".mp3,.ogg,.oga,.opus,.m4a,.wav",
	captions: ".vtt",
	document: ".pdf",
};

// uploads_to("Memora Lesson", name)(kind): what uploads a file of this kind for the document; null for what is none, such as a
// film, which is in the storage's own folders.
export const uploads_to = (doctype, name) => (kind) =>
	name && Object.hasOwn(ACCEPT, kind) ? (file, options = {}) => upload(file, { doctype, name, ...options }) : null;

// Its message is for people.
export class UploadError extends Error {
	name = "UploadError";
}

// → the file's address: `/files/…`. It belongs to the document {doctype, name}, which may be one that is not saved yet.
// on_progress(part, from 0 to 1); signal, an AbortSignal. Rejects with an UploadError, or an AbortError.
export function upload(file, { doctype, name, on_progress = (_) => {}, signal = null }) {
	const body = new FormData();
	body.append("doctype", doctype);
	body.append("name", name);
	body.append("file", file, file.name || "file");
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const fails = (words) => reject(new UploadError(words));
		request.open("POST", "/api/method/memora.api.stage_files.upload");
		request.setRequestHeader("Accept", "application/json");
		request.setRequestHeader("X-Frappe-CSRF-Token", frappe.csrf_token);
		request.upload.addEventListener("progress", (event) => {
			if (event.lengthComputable) on_progress(event.loaded / event.total);
		});
		request.addEventListener("load", () => {
			const answer = parsed(request.responseText);
			const address = answer?.message?.file_url;
			if (request.status === 200 && address) resolve(address);
			else fails(said(answer) || reason(request.status));
		});
		request.addEventListener("error", () => fails(__("The server cannot be reached. Try again later.")));
		request.addEventListener("abort", () => reject(new DOMException(__("Stopped"), "AbortError")));
		signal?.addEventListener("abort", () => request.abort());
		request.send(body);
		if (signal?.aborted) request.abort();
	});
}

function reason(status) {
	if (status === 413) return __("The file is too large for this server.");
	if (status === 401) return __("You are no longer logged in. Log in again in another tab, then try again.");
	if (status === 403) return __("You may not change this document.");
	return __("The file could not be uploaded.");
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

// What the server has said, as plain text.
function said(answer) {
	const messages = parsed(answer?._server_messages || "") || [];
	return messages
		.map((each) => parsed(each)?.message || "")
		.map((html) => new DOMParser().parseFromString(html.replace(/<br\s*\/?>/g, " "), "text/html"))
		.map((page) => page.body.textContent.trim())
		.filter(Boolean)
		.join(" ");
}
