/** What a mail server is asked to carry. */
type Mail = Readonly<{
  from: string;
  to: string;
  subject: string;
  text: string;
  messageId: string;
  headers: Readonly<Record<string, string>>;
}>;

/**
 * Hands a mail to a server; rejects with `responseCode` where the server said no, and nodemailer's `code` and
 * `command`: at what. Aborted, it rejects at once and sends no more of it.
 */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>;
