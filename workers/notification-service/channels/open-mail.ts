import { createTransport } from "nodemailer";
import type { SendMail } from "./mail.ts";

/**
 * Connections to an SMTP server, made when there is a mail to send. `url`: `smtp://user:password@host:587` or
 * `smtps://…`.
 */
type Mailer = AsyncDisposable & Readonly<{ sendMail: SendMail; connections: number }>;

const connections = 5;

type MailServer = Readonly<{
  url: string;
  timeoutMs: number;
  /** Whether a password may be sent to a server that offers no TLS. */
  allowCleartext: boolean;
}>;

/**
 * A password is sent by TLS only, unless `allowCleartext`: where the server, or somebody between, offers no STARTTLS,
 * nothing is sent and the mail is tried again. Each step of the conversation may take `timeoutMs`, connecting half of
 * it, so that a server that is not there is known for that before the whole send is out of time. Aborting takes a mail
 * out of the queue, or closes the connection it goes by.
 */
export function openMail({ url, timeoutMs, allowCleartext }: MailServer): Mailer {
  const transport = createTransport({
    url: allowCleartext ? url : withTls(url),
    pool: true,
    maxConnections: connections,
    connectionTimeout: timeoutMs / 2,
    greetingTimeout: timeoutMs / 2,
    socketTimeout: timeoutMs,
    // Text given as text only: nothing is read from files or fetched because of what a mail says.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    connections,
    sendMail: async (mail, signal) => {
      // Its types do not know the signal yet.
      const options = { ...mail, headers: { ...mail.headers }, signal };
      await transport.sendMail(options);
    },
    [Symbol.asyncDispose]: () => {
      transport.close();
      return Promise.resolve();
    },
  };
}

/** The URL as it is where it logs nobody in, else with STARTTLS required, whatever its query says of it. */
function withTls(text: string): string {
  const url = new URL(text);
  const logsIn = url.username !== "" || url.password !== "" || [...url.searchParams.keys()].some(isOfLogin);
  if (!logsIn || url.protocol === "smtps:") return text;
  for (const name of ["ignoreTLS", "opportunisticTLS"]) url.searchParams.delete(name);
  url.searchParams.set("requireTLS", "true");
  return url.href;
}

function isOfLogin(name: string): boolean {
  return name.startsWith("auth");
}
