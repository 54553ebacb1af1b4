import { createRoute, z, type RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import { etagHeader, locationHeader } from "../../../shared/http/answer-parts.ts";
import { bodyFailures } from "../../../shared/http/failures.ts";
import type { HttpApp, HttpEnv } from "../../../shared/http/http-app.ts";
import { keyHeader } from "../../../shared/http/request-key.ts";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { Problem, type Mistake } from "../../../shared/problem.ts";
import { visibleLine } from "../../../shared/tasks/visible-text.ts";
import { newTask, type NewTask } from "../../../shared/tasks/task-input.ts";
import { createdTask } from "../task-schema.ts";
import { readPhrase } from "./read-phrase.ts";

type QuickDeps = Readonly<{
  now: () => Date;
  readZone: (userId: string) => Promise<string | null>;
  /** Makes the task and answers it, with `more` in its body. */
  make: (
    c: Context<HttpEnv>,
    input: NewTask,
    said: Readonly<{ zone: string; key: string | undefined; more: Readonly<Record<string, unknown>> }>,
  ) => Promise<Response>;
}>;

const body = z
  .strictObject({
    text: visibleLine(500).openapi({
      description: "A line as people type it, of at most 500 UTF-16 units.",
      example: "Water the plants every other Saturday at 10 #home",
    }),
    dry_run: z
      .boolean()
      .optional()
      .openapi({ description: "Only says what it means, and makes nothing; answers 200." }),
  })
  .openapi("QuickAdd");

const understood = z
  .object({
    pieces: z
      .array(
        z.object({
          text: z.string(),
          at: z.int().openapi({ description: "Where it begins, in UTF-16 units from 0." }),
          means: z.string(),
        }),
      )
      .openapi({ description: "The words that were taken for something; the rest is the title." }),
    notes: z.array(z.string()).openapi({
      description: "What was decided without being said, and what was left in the title though it looks like more.",
    }),
    zone: z.string().openapi({ description: "Whose clock the days and times are read on.", example: "Europe/Berlin" }),
  })
  .openapi("Understood");

const json = <T extends z.ZodType>(schema: T) => ({ "application/json": { schema } });

/** Typed wide, so that the handler may answer with a stored answer as it was sent. */
const responses: RouteConfig["responses"] = {
  200: {
    description: "With dry_run: what it means",
    content: json(z.object({ task: z.looseObject({ title: z.string() }), understood }).openapi("QuickAddReading")),
  },
  201: {
    description: "Made",
    headers: { ...etagHeader, ...locationHeader },
    content: json(createdTask.extend({ understood }).openapi("QuickAddedTask")),
  },
  ...bodyFailures(409),
};

/** POST /v1/quick-add. */
export function addQuickRoute(app: HttpApp, deps: QuickDeps, tags: readonly string[]): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/quick-add",
      summary: "Make a task from a line as people type it",
      description:
        "Understands, in English: days (tomorrow, next friday, in 3 days, may 31, 31.5., 2027-05-31, end of month), times (17:00, 5pm, at noon, in 20 minutes), " +
        "repetitions (every weekday, every other Saturday, every last Friday, every month on the 1st and 15th, 3 months after completion, until a day, for 10 times), " +
        "reminders (remind me 30 minutes before), priorities p1 to p4 and #tags. What stands in quotes is title. Nothing is guessed silently: the answer says in " +
        "`understood` what each piece was taken for, what was decided without being said, and what was not understood.",
      tags: [...tags],
      request: { headers: z.object(keyHeader), body: { required: true, content: json(body) } },
      responses,
    }),
    async (c) => {
      const { text, dry_run } = c.req.valid("json");
      const zone = (await deps.readZone(c.var.identity.userId)) ?? defaultPreferences.tz;
      const { task, pieces, notes } = readPhrase(text, { now: deps.now(), zone });
      const read = newTask.safeParse(task);
      if (!read.success)
        throw ofText(read.error.issues.map(({ path, message }) => ({ path: path.join("/"), message })));
      const said = { pieces, notes, zone };
      if (dry_run === true) return c.json({ task, understood: said }, 200);
      const key = c.req.valid("header")["idempotency-key"];
      try {
        return await deps.make(c, read.data, { zone, key, more: { understood: said } });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "INVALID_REQUEST") throw error;
        throw ofText(error.extra.mistakes ?? []);
      }
    },
  );
}

/** Mistakes in what a text says are mistakes of the text. */
function ofText(mistakes: readonly Mistake[]): Problem {
  return new Problem("INVALID_REQUEST", undefined, {
    mistakes: mistakes.map(({ path, message }) => ({
      path: "/text",
      message: `${path.replace(/^\//, "")} ${message}`,
    })),
  });
}
