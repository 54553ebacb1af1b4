import { createTransport } from "nodemailer";
import type { SendMail } from "./email-channel.ts";

/** Connections to an SMTP server, made when there is a mail to send. `url`: `smtp://user:password@host:587` or `smtps://…`. */
export type Mailer = AsyncDisposable & Readonly<{ sendMail: SendMail }>;

const connections = 5;

/** Each step of the conversation may take `timeoutMs`. */
export function openMail({ url, timeoutMs }: Readonly<{ url: string; timeoutMs: number }>): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // Text given as text only: nothing is read from files or fetched because of what a mail says.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    sendMail: async (mail) => {
      await transport.sendMail({ ...mail, headers: { ...mail.headers } });
    },
    [Symbol.asyncDispose]: () => {
      transport.close();
      return Promise.resolve();
    },
  };
}
