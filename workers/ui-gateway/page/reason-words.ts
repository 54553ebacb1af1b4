/** What the server notes where something was not sent, put off or failed, as a person says it. */
const said: Readonly<Record<string, string>> = {
  "task completed": "the task was completed",
  "task deleted": "the task was deleted",
  dismissed: "the reminder was dismissed",
  "dismissed: user": "the reminder was dismissed",
  "dismissed: completed": "the task was completed",
  "dismissed: deleted": "the task was deleted",
  "dismissed: expired": "later than the reminder allows",
  "scheduled anew": "the reminder was moved",
  "nothing left to tell": "all of it was done or dismissed",
  "no longer among the user's addresses": "the address was removed",
  "no longer among the user's webhooks": "the webhook was removed",
  "the endpoint is disabled": "the webhook is switched off, as it failed for too long",
  "mail is not set up": "this server sends no mail",
  "the operator does not allow mail to this address": "this server sends no mail to that address",
  "not a URL that can be posted to": "nothing can be posted to that address",
  "not a public address": "that address is not a public one",
  "HTTP 410": "the receiver wants no more of them",
  unknown: "it is not known why",
};

/** The words for a reason; one nobody here knows is told as it is. */
export function reasonInWords(reason: string): string {
  const known = said[reason];
  if (known !== undefined) return known;
  if (reason.startsWith("dismissed: ")) return "the reminder is not wanted any more";
  // How late it was is told beside it.
  if (/^late by \d+ s, wanted within /.test(reason)) return "later than you want to be told";
  const answered = /^(HTTP|SMTP) (\d+)$/.exec(reason);
  if (answered) return `the ${answered[1] === "HTTP" ? "receiver" : "mail server"} answered ${answered[2]}`;
  if (reason === "TimeoutError" || reason === "ETIMEDOUT") return "no answer in time";
  // The code of an error: what the connection or the name's look-up met.
  return /^(E[A-Z_]{3,}|\w+Error)$/.test(reason) ? `the receiver could not be reached (${reason})` : reason;
}
