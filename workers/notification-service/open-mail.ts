import { createTransport } from "nodemailer";
import type { SendMail } from "./email-channel.ts";

/** Connections to an SMTP server, made when there is a mail to send. `url`: `smtp://user:password@host:587` or `smtps://…`. */
export type Mailer = AsyncDisposable & Readonly<{ sendMail: SendMail; connections: number }>;

const connections = 5;

/**
 * Each step of the conversation may take `timeoutMs`, connecting half of it, so that a server that is not there is known for that
 * before the whole send is out of time. Aborting takes a mail out of the queue, or closes the connection it goes by.
 */
export function openMail({ url, timeoutMs }: Readonly<{ url: string; timeoutMs: number }>): Mailer {
  const transport = createTransport({
    url,
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
