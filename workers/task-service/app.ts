import { createRoute, type z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { makeHttpApp, type HttpApp, type HttpEnv, type HttpOptions } from "../../shared/http/http-app.ts";
import { etagOf, matches, readIfMatch, readIfNoneMatch } from "../../shared/http/if-match.ts";
import { eventsMade } from "../../shared/limits/events-made.ts";
import { requestKey } from "../../shared/http/request-key.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import { Problem } from "../../shared/problem.ts";
import type { ReminderChoices } from "../../shared/reminders/resolve-reminders.ts";
import type { NewTask, TaskPatch } from "../../shared/tasks/task-input.ts";
import { goneAnswer, remindedAnswer, taskAnswer } from "./answer.ts";
import { changeSeries, type SeriesChangeRequest, type SeriesDeps } from "./change-series.ts";
import { decideScopedDelete, decideScopedPatch, decideStopAfter } from "./decide-scope.ts";
import { decideComing, decideUnset, needsChoices } from "./decide-coming.ts";
import { decidePlain, makesPlain } from "./decide-plain.ts";
import { decideTemplatePatch } from "./decide-template.ts";
import { decideComplete, decideCreate, decideDelete, decidePatch, decideReopen } from "./decide-task.ts";
import { exportCalendar, type ExportDeps } from "./export-calendar.ts";
import { addBatchRoute } from "./batch/batch-route.ts";
import type { OpenBatch } from "./batch/open-batch.ts";
import type { BatchDeps } from "./batch/run-batch.ts";
import { addListRoute, type ListRouteDeps } from "./find/list-route.ts";
import { addTagRoutes, type ListTags } from "./find/tag-routes.ts";
import { addQuickRoute } from "./phrase/quick-route.ts";
import type { ListQuery } from "./read-tasks.ts";
import { needsZone, opensAtOnce, saysReminders } from "./patch-traits.ts";
import { sendAnswer } from "./send-answer.ts";
import type { readRestoring } from "./restore/read-restoring.ts";
import { addRestoreRoute } from "./restore/restore-route.ts";
import { viewOfRow, type TaskRow } from "./task-row.ts";
import {
  createBody,
  keyHeaders,
  params,
  patchBody,
  readHeaders,
  responses,
  scopeQuery,
  writeHeaders,
} from "./task-schema.ts";
import { changeTask, createTask, notFound, type TaskChangeRequest, type WriteDeps } from "./write-task.ts";

export type TaskAppDeps = Readonly<{
  http: Omit<HttpOptions, "title" | "description">;
  write: WriteDeps;
  openSeries: SeriesDeps["openSeries"];
  openBatch: OpenBatch;
  /** Makes the ids of tasks; rising ones keep the list's index append-only. */
  newId: (now: Date) => string;
  readTask: (userId: string, id: string) => Promise<TaskRow | null>;
  listTasks: (query: ListQuery) => Promise<readonly TaskRow[]>;
  findTasks: ListRouteDeps["findTasks"];
  countTasks: ListRouteDeps["countTasks"];
  readTaskReminders: ListRouteDeps["readTaskReminders"];
  listTags: ListTags;
  readRestoring: ReturnType<typeof readRestoring>;
  /** What an export reads beside the list. */
  readExport: Omit<ExportDeps, "listTasks" | "onBreak">;
  /** The zone a user has chosen, `null` for one who has not. Asked where a request needs one and names none. */
  readZone: (userId: string) => Promise<string | null>;
  /** What a user's preferences say about reminders. Asked only for a task that will be due. */
  readChoices: (userId: string) => Promise<ReminderChoices>;
  /** Whether a user has one of these tasks, deleted or not; those that must come are waited for. See `awaitTasks`. */
  awaitTasks: BatchDeps["awaitTasks"];
  /** Runs the changes of one task one after another. */
  oneAtATime: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}>;

const tags = ["tasks"];

/** The HTTP side of tasks: the requests of one user over their own tasks. Anything of another's answers 404. */
export function buildApp(deps: TaskAppDeps): HttpApp {
  const app = makeHttpApp({
    ...deps.http,
    title: "Tasks",
    description:
      "Tasks and recurring templates. Every change is one event on the topic task-events, committed with it. " +
      "Writes take an Idempotency-Key, changes an If-Match.",
  });
  const writer = async (c: Context<HttpEnv>, key: string | undefined) => ({
    userId: c.var.identity.userId,
    key: await requestKey(key, c.req),
    correlationId: c.var.correlationId,
    traceparent: c.var.traceparent,
  });
  const zoneFor = async (asked: TaskPatch, userId: string): Promise<string | null> =>
    needsZone(asked) ? await deps.readZone(userId) : null;
  /**
   * Runs `work` again where the task it did not find is there by then: one that others were told of before it was made.
   */
  const whenMade = async <T>(c: Context<HttpEnv>, id: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "TASK_NOT_FOUND") throw error;
      const { userId } = c.var.identity;
      if (!(await deps.awaitTasks({ ids: [id], userId, signal: c.req.raw.signal }))) throw error;
      return await work();
    }
  };
  const change = async (
    c: Context<HttpEnv>,
    id: string,
    headers: z.output<typeof writeHeaders>,
    request: Pick<TaskChangeRequest, "decide" | "answer" | "seesDeleted">,
  ): Promise<Response> => {
    const ifMatch = readIfMatch(headers["if-match"]);
    const by = await writer(c, headers["idempotency-key"]);
    const work = () => changeTask(deps.write, by, { ...request, id, ifMatch });
    return sendAnswer(c, await whenMade(c, id, () => deps.oneAtATime(`${by.userId} ${id}`, work)));
  };
  const changeWithSeries = async (
    c: Context<HttpEnv>,
    id: string,
    headers: z.output<typeof writeHeaders>,
    request: Pick<SeriesChangeRequest, "decide" | "answer" | "seesDeleted"> & Partial<Pick<SeriesChangeRequest, "of">>,
  ): Promise<Response> => {
    const ifMatch = readIfMatch(headers["if-match"]);
    const by = await writer(c, headers["idempotency-key"]);
    const { openSeries, write } = deps;
    const work = () => changeSeries({ ...write, openSeries }, by, { of: "occurrence", ...request, id, ifMatch });
    return sendAnswer(c, await whenMade(c, id, work));
  };

  const make = async (
    c: Context<HttpEnv>,
    input: NewTask,
    { zone, key, more }: Readonly<{ zone: string | null; key: string | undefined; more: object }>,
  ): Promise<Response> => {
    const now = deps.write.now();
    const { userId } = c.var.identity;
    const row = decideCreate(input, { id: deps.newId(now), userId, now, zone });
    const choices = needsChoices(row) ? await deps.readChoices(userId) : defaultPreferences;
    const by = await writer(c, key);
    const coming = { ...decideComing(row, choices), ...more };
    const events = opensAtOnce(input.recurrence_pattern);
    return sendAnswer(c, { events, ...(await createTask(deps.write, by, row, coming)) });
  };

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tasks",
      summary: "Make a task, or a recurring template",
      description:
        "Answers the task with what will come of it, which has its ids already: the first occurrence of a template, and the reminders " +
        "of the task, or of that occurrence. A read or a change of one of them waits until it is there, for some 3 s; it answers 503 then, " +
        "never 404. Rules that will make no reminder are told in unset_reminders.",
      tags,
      request: { headers: keyHeaders, body: createBody },
      responses: responses.made,
    }),
    async (c) => {
      const input = c.req.valid("json");
      const zone = await zoneFor(input, c.var.identity.userId);
      return make(c, input, { zone, key: c.req.valid("header")["idempotency-key"], more: {} });
    },
  );

  addListRoute(app, { ...deps, now: deps.write.now }, tags);
  addTagRoutes(app, deps.listTags, tags);
  addQuickRoute(app, { now: deps.write.now, readZone: deps.readZone, make }, tags);
  addBatchRoute(app, { ...deps, ...deps.write, writer }, tags);

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/export.ics",
      summary: "All tasks as an iCalendar file",
      description:
        "VTODOs of RFC 5545: series with their rule, exceptions and occurrences, reminders as alarms. Streamed.",
      tags,
      responses: responses.exported,
    }),
    async (c) => {
      const { listTasks, readExport } = deps;
      const { requestId, identity } = c.var;
      const onBreak = (error: unknown) => deps.http.log.error("export_broken_off", { requestId, error });
      const body = await exportCalendar({ ...readExport, listTasks, onBreak }, identity.userId);
      return c.body(body, 200, {
        "content-type": "text/calendar; charset=utf-8",
        "content-disposition": 'attachment; filename="taskwire.ics"',
      });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/tasks/{id}",
      summary: "Read a task",
      tags,
      request: { params, headers: readHeaders },
      responses: responses.read,
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const row = await whenMade(c, id, async () => {
        const found = await deps.readTask(c.var.identity.userId, id);
        if (found === null) throw notFound(id);
        return found;
      });
      c.header("etag", etagOf(row.version));
      const known = readIfNoneMatch(c.req.valid("header")["if-none-match"]);
      return matches(known, row.version) ? c.body(null, 304) : c.json(viewOfRow(row), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/v1/tasks/{id}",
      summary: "Change fields of a task; null clears",
      description:
        "A patch that changes nothing answers 200 and makes no event. Which reminders a task has now, GET /v1/tasks/{id}/reminders tells " +
        "at once; rules that make none are told in unset_reminders. With a scope the template is changed too, and open occurrences " +
        "follow in the fields in which they still were as it was; with `future` the series is split, and the answer is the occurrence " +
        "that takes this one's place in the new one, with an id of its own; reminders set by hand are not taken along. Where nothing comes " +
        "before it, or it counts from completion, the series is changed in place, and a new due needs its recurrence_pattern too. " +
        "With recurrence_pattern null a template becomes a plain task, which takes over due and fields of its earliest open occurrence; " +
        "the open ones are deleted. With another pattern its open occurrences go to the new time of their day, unless they were moved; a due alone " +
        "is refused, for a series recurs by its pattern.",
      tags,
      request: { params, query: scopeQuery, headers: writeHeaders, body: patchBody },
      responses: responses.patched,
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { scope } = c.req.valid("query");
      const patch = c.req.valid("json");
      const zone = await zoneFor(patch, c.var.identity.userId);
      const choices = saysReminders(patch) ? await deps.readChoices(c.var.identity.userId) : null;
      const answer = (row: TaskRow) =>
        choices === null ? taskAnswer(row) : remindedAnswer(row, decideUnset(row, choices));
      if (scope === "this" && makesPlain(patch))
        return changeWithSeries(c, id, c.req.valid("header"), {
          decide: decidePlain(patch, zone),
          answer,
          of: "template",
        });
      // A template is changed with its open occurrences, which follow its pattern.
      const before =
        scope === "this" && patch.recurrence_pattern ? await deps.readTask(c.var.identity.userId, id) : null;
      if (before?.is_recurring_template) {
        const decide = decideTemplatePatch(patch, zone);
        const events = opensAtOnce(patch.recurrence_pattern);
        const answered = await changeWithSeries(c, id, c.req.valid("header"), { decide, answer, of: "template" });
        if (answered.ok && events > 1) answered.headers.set(...eventsMade(events));
        return answered;
      }
      if (scope === "this") {
        const answered = await change(c, id, c.req.valid("header"), { decide: decidePatch(patch, zone), answer });
        const events = opensAtOnce(patch.recurrence_pattern);
        if (answered.ok && events > 1) answered.headers.set(...eventsMade(events));
        return answered;
      }
      const decide = decideScopedPatch(patch, { scope, zone, newId: deps.newId });
      const work = () => changeWithSeries(c, id, c.req.valid("header"), { decide, answer });
      // A split makes a template. Looked at before the transaction, which has a connection already.
      const adds = scope === "future" ? { kept: 1, templates: 1 } : {};
      return deps.write.quota.within(c.var.identity.userId, adds, work);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/tasks/{id}",
      summary: "Delete a task",
      description:
        "POST /v1/tasks/{id}/restore takes it back for 30 days. Deleting again answers 204 again. A template's open occurrences stay. With scope=future the series ends before this occurrence, " +
        "with all it ends at once; what is open of it is deleted, what was completed stays.",
      tags,
      request: { params, query: scopeQuery, headers: writeHeaders },
      responses: responses.gone,
    }),
    (c) => {
      const { id } = c.req.valid("param");
      const { scope } = c.req.valid("query");
      const gone = { answer: goneAnswer, seesDeleted: true };
      if (scope === "this") return change(c, id, c.req.valid("header"), { decide: decideDelete, ...gone });
      return changeWithSeries(c, id, c.req.valid("header"), { decide: decideScopedDelete(scope, "UTC"), ...gone });
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tasks/{id}/stop-after",
      summary: "End the series after this occurrence",
      description: "Later ones that are open are deleted. Stopping twice is stopping once.",
      tags,
      request: { params, headers: writeHeaders },
      responses: responses.changed,
    }),
    (c) =>
      changeWithSeries(c, c.req.valid("param").id, c.req.valid("header"), {
        decide: decideStopAfter("UTC"),
        answer: (row) => taskAnswer(row),
      }),
  );

  for (const [verb, decide, summary] of [
    ["complete", decideComplete, "Complete a task"],
    ["reopen", decideReopen, "Reopen a completed task"],
  ] as const)
    app.openapi(
      createRoute({
        method: "post",
        path: `/v1/tasks/{id}/${verb}`,
        summary,
        description: "Where it is so already, answers 200 and makes no event.",
        tags,
        request: { params, headers: writeHeaders },
        responses: responses.changed,
      }),
      (c) => change(c, c.req.valid("param").id, c.req.valid("header"), { decide, answer: (row) => taskAnswer(row) }),
    );

  const { readRestoring, write } = deps;
  addRestoreRoute(app, { ...write, change, changeWithSeries, readRestoring }, tags);

  return app;
}
