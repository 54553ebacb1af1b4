import type { Context } from "hono";
import type { HttpEnv } from "../../shared/http/http-app.ts";
import { etagOf } from "../../shared/http/if-match.ts";
import { replayedHeader } from "../../shared/http/request-key.ts";
import { eventsMade } from "../../shared/limits/events-made.ts";
import type { WriteResult } from "./write-task.ts";

/** Sends the answer to a write as it is kept, with its headers; one that was given before says so. */
export function sendAnswer(c: Context<HttpEnv>, { answer, replayed, events = 1 }: WriteResult): Response {
  if (!replayed && events > 1) c.header(...eventsMade(events));
  if (answer.version !== null) c.header("etag", etagOf(answer.version));
  if (answer.status === 201) c.header("location", `/v1/tasks/${answer.taskId}`);
  if (replayed) c.header(replayedHeader, "true");
  if (answer.status === 204 || answer.body === null) return c.body(null, 204);
  return c.body(answer.body, answer.status, { "content-type": "application/json" });
}
