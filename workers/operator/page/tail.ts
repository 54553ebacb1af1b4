import { credentials } from "./api.ts";
import { byId, element } from "../../../shared/page/element.ts";
import type { TailRecordJson } from "./shapes.ts";
import { moment } from "./words.ts";

const kept = 200;

/** Makes the form follow a topic until it is stopped; the newest record is on top. */
export function openTail(topics: readonly string[], onError: (error: unknown) => void): void {
  const form = byId<HTMLFormElement>("tail-form");
  const toggle = byId<HTMLButtonElement>("tail-toggle");
  const choice = form.querySelector("select");
  const match = form.querySelector("input");
  if (choice === null || match === null || choice.options.length > 0) return;
  choice.append(...topics.map((topic) => element("option", { value: topic }, topic)));
  let running: AbortController | null = null;
  const stop = () => {
    running?.abort();
    running = null;
    toggle.textContent = "Start";
  };
  choice.addEventListener("change", stop);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running !== null) return stop();
    const own = (running = new AbortController());
    toggle.textContent = "Stop";
    byId("tail").replaceChildren();
    follow(choice.value, own.signal, (text) => show(text, match.value.trim()))
      .catch((error: unknown) => {
        if (!own.signal.aborted) onError(error);
      })
      .finally(() => {
        if (running === own) stop();
      });
  });
}

/** Server-sent events read by hand: an EventSource cannot bring the token. */
async function follow(topic: string, signal: AbortSignal, onData: (text: string) => void): Promise<void> {
  const response = await fetch(`/api/topics/${topic}/tail`, { headers: credentials(), signal });
  if (!response.ok || response.body === null)
    throw new Error(`The tail of ${topic} was not opened: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (event.startsWith("event: failed")) throw new Error(`The tail of ${topic} broke off: ${data?.slice(6) ?? ""}`);
      if (data !== undefined) onData(data.slice(6));
    }
  }
}

function show(text: string, match: string): void {
  if (match !== "" && !text.toLowerCase().includes(match.toLowerCase())) return;
  // Sent by this role's own tail.
  const record = JSON.parse(text) as TailRecordJson;
  const list = byId("tail");
  const value = typeof record.value === "string" ? record.value : JSON.stringify(record.value, null, 2);
  const summary = element(
    "summary",
    {},
    element("strong", {}, record.type ?? "record"),
    element("span", { class: "mono" }, record.key ?? "-"),
    element("span", { class: "soft" }, `${record.partition}/${record.offset}, ${moment(record.time)}, ${record.read}`),
  );
  const block = element("pre", { tabindex: "0", role: "group", "aria-label": "Record" }, value);
  list.prepend(element("li", {}, element("details", {}, summary, block)));
  while (list.childElementCount > kept) list.lastElementChild?.remove();
}
