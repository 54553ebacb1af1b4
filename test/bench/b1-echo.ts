// The server B1 compares with: reads JSON and answers it with 201, no database, no validation, no log.
import { Hono } from "hono";

const app = new Hono();
app.post("/v1/tasks", async (c) => c.json(await c.req.json<Record<string, unknown>>(), 201));
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
process.stdout.write(`${server.port}\n`);
