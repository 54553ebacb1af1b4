import type { AddressInfo } from "node:net";
import { describe, expect, test } from "bun:test";
import { SMTPServer } from "smtp-server";
import type { Notification, SendOutcome } from "../../workers/notification-service/channels/channel.ts";
import { makeEmailChannel } from "../../workers/notification-service/channels/email-channel.ts";
import { openMail } from "../../workers/notification-service/channels/open-mail.ts";

const at = new Date("2026-11-25T09:00:00Z");
const told = (title: string | null, to = "ada@example.org"): Notification => ({
  id: "0193a0b0-0000-7000-8000-0000000000aa",
  userId: "0193a0b0-0000-7000-8000-0000000000bb",
  kind: "reminder",
  target: to,
  secret: null,
  correlationId: "req-1",
  causationId: "0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11",
  traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
  reminders: [
    {
      reminderId: "r",
      taskId: "t",
      title,
      remindAt: at,
      triggeredAt: at,
      lateBy: null,
      tz: "Asia/Kolkata",
      dueOn: null,
    },
  ],
});

const refusal = (responseCode: number) => Object.assign(new Error("no"), { responseCode });

type ServerOptions = Readonly<{
  hang?: boolean;
  /** What it says to all who come, who log in, or who name a sender. */
  greeting?: number;
  login?: number;
  sender?: number;
  /** Offers STARTTLS, with a certificate nobody vouches for. */
  tls?: boolean;
  /** The query of the URL it is known by. */
  query?: string;
  allowCleartext?: boolean;
}>;

/** A mail server on this machine; it refuses recipients whose name begins with a status. */
async function openServer(options: ServerOptions = {}) {
  const mails: string[] = [];
  const logins: (string | undefined)[] = [];
  let hangs = options.hang ?? false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.tls ? [] : ["STARTTLS"],
    onConnect: (_session, done) => done(options.greeting === undefined ? null : refusal(options.greeting)),
    onAuth: ({ username, password }, { secure }, done) => {
      logins.push(`${username}:${password} ${secure ? "by TLS" : "in clear"}`);
      if (options.login === 235) done(null, { user: username });
      else done(refusal(options.login ?? 500));
    },
    onMailFrom: (_address, _session, done) => done(options.sender === undefined ? null : refusal(options.sender)),
    onRcptTo: ({ address }, _session, done) => {
      const [status] = /^[45]\d\d/.exec(address) ?? [];
      done(status === undefined ? null : refusal(Number(status)));
    },
    onData: (stream, _session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      stream.on("end", () => {
        if (hangs) return;
        mails.push(text);
        done();
      });
    },
  });
  server.on("error", () => {}); // Clients that leave early.
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.server.address() as AddressInfo; // It listens on TCP.
  const login = options.login === undefined ? "" : "taskwire:wrong@";
  const { query = "", allowCleartext = false } = options;
  const mailer = openMail({ url: `smtp://${login}127.0.0.1:${port}${query}`, timeoutMs: 15_000, allowCleartext });
  const channel = (timeoutMs = 15_000) =>
    makeEmailChannel({
      from: "Taskwire <reminders@taskwire.example>",
      ...mailer,
      mayGoTo: () => true,
      hourly: 30,
      timeoutMs,
    });
  return {
    mails,
    /** Who logged in, and how. */
    logins,
    channel,
    answer: () => {
      hangs = false;
    },
    [Symbol.asyncDispose]: async () => {
      await mailer[Symbol.asyncDispose]();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test("a mail arrives as text, from the sender, with an id by which doubles are recognised and a way to unsubscribe", async () => {
  await using server = await openServer();
  const channel = server.channel();
  for (let n = 0; n < 2; n++) expect(await channel.send(told("Wäsche 🧺"), 1)).toEqual({ outcome: "delivered" });
  expect(server.mails).toHaveLength(2);
  for (const mail of server.mails) {
    expect(mail).toContain("Message-ID: <0193a0b0-0000-7000-8000-0000000000aa@taskwire.example>");
    expect(mail).toContain("From: Taskwire <reminders@taskwire.example>");
    expect(mail).toContain("To: ada@example.org");
    expect(mail).toContain("List-Unsubscribe: <mailto:reminders@taskwire.example?subject=unsubscribe>");
    expect(mail).toContain("Auto-Submitted: auto-generated");
    expect(mail).toMatch(/^X-Correlation-Id: req-1\r$/im);
    expect(mail).toMatch(/^X-Causation-Id: 0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11\r$/im);
    expect(mail).toMatch(/^Traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r$/im);
    expect(mail).toMatch(/Content-Type: text\/plain/);
    expect(mail).toMatch(/Subject: =\?UTF-8\?/);
  }
});

test("a digest is one mail with a line for each, oldest first, and says what was late", async () => {
  await using server = await openServer();
  const [first] = told("Water").reminders;
  if (first === undefined) throw new Error("unreachable");
  const reminders = [
    { ...first, lateBy: 5_400 },
    { ...first, title: "Feed the cat" },
  ];
  await server.channel().send({ ...told(null), kind: "digest", reminders }, 1);
  const [mail = ""] = server.mails;
  expect(mail).toContain("Subject: 2 reminders, first: Water");
  const time = "Wed 25 Nov 2026, 14:30 (Asia/Kolkata, UTC+05:30)";
  expect(mail).toContain(`- Water: ${time}, told 90 min late\r\n- Feed the cat: ${time}\r\n`);
});

test("what a person wrote cannot add headers", async () => {
  await using server = await openServer();
  await server.channel().send(told("x\r\nBcc: eve@example.org\r\n\r\ny"), 1);
  const [head = ""] = (server.mails[0] ?? "").split("\r\n\r\n");
  expect(head).not.toMatch(/^Bcc:/im);
  expect(head).toContain("Subject: Reminder: x Bcc: eve@example.org y");
});

test.each<[string, string, SendOutcome]>([
  ["busy", "451@example.org", { outcome: "retry", reason: "SMTP 451", afterMs: null }],
  ["full", "452@example.org", { outcome: "retry", reason: "SMTP 452", afterMs: null }],
  ["unknown there", "550@example.org", { outcome: "refused", reason: "SMTP 550" }],
  ["not taken", "554@example.org", { outcome: "refused", reason: "SMTP 554" }],
])("a recipient who is %s (%s)", async (_title, to, expected) => {
  await using server = await openServer();
  expect(await server.channel().send(told("x", to), 1)).toEqual(expected);
});

test.each<[string, ServerOptions, string]>([
  ["knows another password", { login: 535, allowCleartext: true }, "SMTP 535"],
  ["takes no mail from us now", { greeting: 554 }, "SMTP 554"],
  ["wants a login first", { sender: 530 }, "SMTP 530"],
])("a server that %s says nothing of the mail: it is tried again", async (_title, options, reason) => {
  await using server = await openServer(options);
  expect(await server.channel().send(told("x"), 1)).toEqual({ outcome: "retry", reason, afterMs: null });
});

describe("a password", () => {
  test.each(["", "?ignoreTLS=true", "?requireTLS=false", "?opportunisticTLS=true"])(
    "is not sent where no TLS is offered, with %j after the address; the mail is tried again",
    async (query) => {
      await using server = await openServer({ login: 235, query });
      expect(await server.channel().send(told("x"), 1)).toMatchObject({ outcome: "retry", afterMs: null });
      expect([server.logins, server.mails]).toEqual([[], []]);
    },
  );

  test("is sent by TLS, where that is offered", async () => {
    await using server = await openServer({ login: 235, tls: true, query: "?tls.rejectUnauthorized=false" });
    expect(await server.channel().send(told("x"), 1)).toEqual({ outcome: "delivered" });
    expect(server.logins).toEqual(["taskwire:wrong by TLS"]);
  });

  test("is sent in clear where the operator says so", async () => {
    await using server = await openServer({ login: 235, allowCleartext: true });
    expect(await server.channel().send(told("x"), 1)).toEqual({ outcome: "delivered" });
    expect(server.logins).toEqual(["taskwire:wrong in clear"]);
  });
});

test("a server that is not there, and one that does not answer in time, are tried again", async () => {
  const mailer = openMail({ url: "smtp://127.0.0.1:1", timeoutMs: 500, allowCleartext: false });
  const absent = makeEmailChannel({
    from: "a@example.org",
    ...mailer,
    mayGoTo: () => true,
    hourly: 30,
    timeoutMs: 15_000,
  });
  expect(await absent.send(told("x"), 1)).toMatchObject({ outcome: "retry", afterMs: null });
  await mailer[Symbol.asyncDispose]();
  await using server = await openServer({ hang: true });
  expect(await server.channel(300).send(told("x"), 1)).toEqual({
    outcome: "retry",
    reason: "TimeoutError",
    afterMs: null,
    unsure: true,
  });
});

test("what was given up is not sent later, neither what was under way nor what waited for a connection", async () => {
  await using server = await openServer({ hang: true });
  const slow = server.channel(300);
  const sent = await Promise.all(Array.from({ length: 3 * (slow.atOnce ?? 0) }, () => slow.send(told("given up"), 1)));
  expect(new Set(sent.map(({ outcome }) => outcome))).toEqual(new Set(["retry"]));
  server.answer();
  expect(await server.channel().send(told("wanted"), 1)).toEqual({ outcome: "delivered" });
  expect(server.mails.map((mail) => /^Subject: (.*)\r$/m.exec(mail)?.[1])).toEqual(["Reminder: wanted"]);
});
