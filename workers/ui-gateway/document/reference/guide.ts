import { keptHours } from "../../../../shared/http/request-key.ts";
import { userProblems } from "../../../../shared/problem.ts";
import { rruleLimits } from "../../../../shared/recurrence/parse-rrule.ts";
import { maxExdates } from "../../../../shared/recurrence/recurrence-pattern.ts";
import { relativeReminderLimits } from "../../../../shared/tasks/relative-reminder.ts";
import { taskLimits } from "../../../../shared/tasks/task-input.ts";
import { resetReasons } from "../../stream/reset-reasons.ts";
import { streamEvents } from "../../stream/stream-events.ts";
import { usualCosts } from "../../limits/route-costs.ts";
import { ticketSeconds } from "../../sign-in/tickets.ts";
import { block, code, prose, table } from "./html.ts";

/** A part of the reference that is about more than one operation. `html` is markup. */
type Chapter = Readonly<{ id: string; title: string; html: string }>;

const paragraphs = (...texts: readonly string[]) => texts.map((text) => `<p>${prose(text)}</p>`).join("\n");

const signIn: Chapter = {
  id: "sign-in",
  title: "Signing in",
  html: paragraphs(
    "Every path below `/v1/` but `POST /v1/session` and `GET /v1/sign-in` needs a token, as `Authorization: Bearer …`, or the cookie `taskwire_session` (`__Host-taskwire_session` over https). A write with " +
      "the cookie must come from a page of the same origin.",
    "With `AUTH_MODE=dev` anybody signs in by name with `POST /v1/session`. With `AUTH_MODE=jwt` an identity provider makes the tokens: signed " +
      "with the one algorithm the operator chose (HS256 with a secret, else RS256, PS256, ES256 or EdDSA with a key set). They need the claims " +
      "`sub`, who it is, and `exp`. `iss` and `aud` must be those the operator named, where any were. A `sub` that is a UUID, in small letters and not of version " +
      "5, is the user's id; of any other one and its `iss` an id is computed, always the same. `jti` names the session: `DELETE /v1/session` refuses it from then " +
      "on and ends its streams.",
    "What belongs to another user does not exist for you: it answers 404 with the same code.",
  ),
};

const requests: Chapter = {
  id: "requests",
  title: "Requests",
  html:
    paragraphs(
      "Bodies are JSON in UTF-8, at most 1,310,720 bytes, without NUL characters or halves of surrogate pairs. An unknown field or parameter is " +
        "refused by name. Lengths count UTF-16 units. Times are RFC 3339 with an offset, between 1970 and 2199, and are " +
        "answered in UTC; a `due_date` may also be a local time without one.",
      `**Idempotency.** Writes of tasks and reminders take an \`Idempotency-Key\`. Sent again within ${keptHours} hours with the same key, the same ` +
        "request is done once and answered the same, with `Idempotent-Replayed: true`. The same request has the same method, path, query and " +
        "meaning of its body: the order of keys, blanks and the spelling of numbers do not count. Another request with the key answers 422 " +
        "`IDEMPOTENCY_KEY_REUSED`. A refused request does not use its key up.",
      '**Versions.** What has a version answers it as `ETag`. A change with `If-Match: "3"` answers 412 where it is not version 3, with what it is in ' +
        "`current`. A read with `If-None-Match` answers 304 where it still is.",
      "**Lists** answer `{items, next_cursor}`; `cursor` asks for the page after. A cursor belongs to its list and filters. Items that come or go " +
        "between two pages are not shown twice or left out.",
      "**What follows a write.** The answer to making a task names the `first_occurrence` of a template, the `reminders` that will come, and in " +
        "`unset_reminders` the rules that make none; the answer to a change of its due or its rules has those too. All of it, and the series, can be read " +
        "and changed at once: what is not there yet is waited for, up to 3 s, then it is 503, never 404. Lists over several tasks or series do not wait.",
      "**Transport.** `HEAD` answers what `GET` would, without its body; `OPTIONS` answers what a path allows. Answers above a " +
        "kilobyte are compressed for clients that send `Accept-Encoding: gzip`. Pages of other origins may call the API where " +
        "the operator names these origins (`CORS_ORIGINS`), with a bearer token, never with the cookie.",
    ).replaceAll(/\*\*([^*]+)\*\*/g, "<b>$1</b>") +
    table(
      ["Limit", "How much"],
      [
        ["Title", `${taskLimits.titleLength} UTF-16 units`],
        ["Description", `${taskLimits.descriptionLength} UTF-16 units`],
        ["Tags of a task", `${taskLimits.tags} of ${taskLimits.tagLength} UTF-16 units`],
        [
          "Reminder rules of a task",
          `${relativeReminderLimits.perTask}, each up to ${relativeReminderLimits.days} days before`,
        ],
        ["Reminders of your own that wait for a task", "50"],
        ["A snooze", "366 days ahead with <code>until</code>, 30 days with <code>for</code>"],
        [
          "A rule",
          `${rruleLimits.characters} characters, INTERVAL up to ${rruleLimits.interval}, COUNT up to ${rruleLimits.count}, ${maxExdates} starts left out`,
        ],
        ["Dates of a series skipped or moved", "500 to come, 366 in one request"],
        ["Channels", "5, each with up to two to fall back to"],
        ["Open streams and polls", "20 for a user, unless the operator says otherwise"],
        ["A page of a list", "200 items"],
      ],
    ),
};

const rateLimits: Chapter = {
  id: "rate-limits",
  title: "Rate limits",
  html: paragraphs(
    `Requests cost points: a read ${usualCosts.read}, a write ${usualCosts.write}, some more, as each operation says. Points are saved up and come ` +
      "back every second; `RateLimit-Policy` says how many, `RateLimit` what is left. A request too many answers 429 `RATE_LIMITED`.",
    "Where there is too much of something the answer is 429, with `Retry-After` in seconds. Wait that long, with a little chance added, and send " +
      "the same request again.",
    "What you may keep is limited too: beyond it a write answers 409 `QUOTA_EXCEEDED` and says what to do.",
  ),
};

const errors: Chapter = {
  id: "errors",
  title: "Errors",
  html:
    `<p>Every failure is an RFC 9457 document, a <a href="#schema-Problem">Problem</a>, as <code>application/problem+json</code>.</p>` +
    paragraphs(
      "Decide by `code`, which keeps its meaning; new codes may come, so treat one you do not know by its status. `retryable` says whether the same " +
        "request can succeed later. `errors` names every mistake, `instance` is the id of the request, and `type` leads here.",
    ) +
    table(
      ["Code", "Status", "Again?", "What it means, and what to do"],
      userProblems.map(([name, { status, retry, title, help = "" }]) => [
        `<code id="error-${name}">${name}</code>`,
        String(status),
        retry ? "yes" : "no",
        `${prose(title)}. ${prose(help)}`,
      ]),
    ),
};

const recurrence: Chapter = {
  id: "recurrence",
  title: "Recurrence",
  html:
    `<p>A task with a <code>recurrence_pattern</code> is a template. It makes tasks, its occurrences, and is no to-do item itself. The pattern is a <a href="#schema-RecurrencePatternInput">RecurrencePatternInput</a>: a preset, or an RFC 5545 rule with what the rule leaves open.</p>` +
    paragraphs(
      "**Where it starts.** `start` counts on the clocks of `tz`. Left out, it is the task's `due_date` or `due_on`; where there is none, it is the " +
        'moment of the request to the second: `"daily"` sent at 21:25:16 is due daily at 21:25:16. Say a `start` to avoid that.',
      "**When clocks change.** A time that is jumped over in spring does not occur that day, as RFC 5545 says, and COUNT does not count it. A " +
        "time that comes twice in autumn occurs once, the first time.",
      "**The 29th to 31st.** `month_end: skip` leaves months without the day out, `clamp` takes their last day. The presets " +
        "`monthly` and `yearly` clamp, an object skips unless it says `clamp`.",
      "**One after the other.** `anchor: schedule` follows the rule's own dates; the next occurrence is made when the last one was due or is " +
        "completed. `anchor: completion` counts from the day on which the last one was completed or deleted: `FREQ=MONTHLY;INTERVAL=6` comes six months " +
        "later, `FREQ=WEEKLY;INTERVAL=3;BYDAY=SA` on the first Saturday three weeks later or after, `FREQ=WEEKLY;BYDAY=MO,TH` on the next Monday or " +
        "Thursday. `max_open` occurrences may be open at a " +
        "time; of those missed meanwhile `catch_up` makes the latest, all or none.",
      "**Single dates** are skipped, moved or completed ahead below `/v1/series/{id}/occurrences/{recurrence_id}`, as long as they have no task. " +
        "One that has is changed as that task, and `?scope=future` or `?scope=all` reaches those after it, or all.",
    ).replaceAll(/\*\*([^*]+)\*\*/g, "<b>$1</b>"),
};

const live: Chapter = {
  id: "changes",
  title: "Following changes",
  html:
    paragraphs(
      "`GET /v1/stream` sends every change of your tasks and reminders as server-sent events; `GET /v1/sync` answers the same by long polling. " +
        "Both start at a cursor: the id of the last event, or the `X-Stream-Cursor` of an answer, which is taken before the read. So read your " +
        "lists, then open the stream at their cursor, and nothing is missed.",
    ) +
    table(
      ["Event", "Data"],
      Object.entries(streamEvents).map(([name, { says }]) => [code(name), prose(says)]),
    ) +
    paragraphs("`/v1/sync` answers `state`, and `reset`, the same reasons, or null:") +
    table(
      ["Reason", "What happened"],
      Object.entries(resetReasons).map(([reason, says]) => [code(reason), prose(says)]),
    ) +
    paragraphs(
      "A cursor can be resumed on any instance for as long as changes are kept, seven days unless the operator says otherwise, and at most 50,000 " +
        "changes back. A comment every 15 s keeps a quiet stream open; each ends within about 15 minutes and is to be opened again. A client that " +
        `cannot send headers takes a ticket from \`POST /v1/stream/ticket\`, good once and for ${ticketSeconds} s: \`/v1/stream?ticket=…\`.`,
    ),
};

const webhooks: Chapter = {
  id: "webhooks",
  title: "Webhooks",
  html:
    paragraphs(
      "A `webhook` channel of your preferences is posted every notification that goes by it, signed as Standard Webhooks say. Any 2xx is delivered. " +
        "410 disables it. Everything else is tried again for up to a day (for a quarter of an hour where the channel has an `else`), one after the " +
        "other and in order; redirects are not followed, and only public addresses are posted to, unless the operator allows others. It may come twice, under the same " +
        "`webhook-id`. `POST /v1/notifications/endpoints/{id}/test` posts a message of type `endpoint.test` at once.",
      "Check the signature over the bytes as they came, before you parse them:",
    ) +
    block(`signed    = webhook-id + "." + webhook-timestamp + "." + body
key       = base64decode(secret without "whsec_")
signature = "v1," + base64encode(hmac_sha256(key, signed))   # one of those in webhook-signature, by a comparison in constant time`),
};

/** In the order of the page: first what everybody needs, then what single operations refer to. */
export const chapters: readonly Chapter[] = [signIn, requests, rateLimits, errors, recurrence, live, webhooks];
