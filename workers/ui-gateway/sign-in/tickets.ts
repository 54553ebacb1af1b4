import type { Db } from "../../../shared/postgres/db.ts";
import { base64UrlText, randomBytes } from "../../../shared/bytes.ts";
import { digestOf } from "../../../shared/digest.ts";
import type { StreamUser } from "../stream/streams.ts";

export const ticketSeconds = 30;

/**
 * A one-time ticket, valid for 30 s on any instance. It goes into an address, so it opens one stream and nothing else.
 */
export async function issueTicket(
  { sql }: Pick<Db, "sql">,
  who: StreamUser,
): Promise<{ ticket: string; expiresAt: Date }> {
  const ticket = base64UrlText(randomBytes(32));
  const [row] = await sql<{ expires_at: Date }[]>`
    with expired as (
      delete from stream_tickets where hash in (
        select hash from stream_tickets where expires_at < clock_timestamp() limit 100 for update skip locked
      )
    )
    insert into stream_tickets (hash, user_id, session_id, session_expires_at, expires_at)
    values (${hashOf(ticket)}, ${who.userId}, ${who.sessionId}, ${who.expiresAt},
      clock_timestamp() + make_interval(secs => ${ticketSeconds}))
    returning expires_at`;
  if (row === undefined) throw new Error("the ticket was not stored");
  return { ticket, expiresAt: row.expires_at };
}

/** Whose ticket it is; the row goes with its first use, so of two at once one gets `null`. */
export async function redeemTicket({ sql }: Pick<Db, "sql">, ticket: string): Promise<StreamUser | null> {
  const [row] = await sql<{ user_id: string; session_id: string; session_expires_at: Date }[]>`
    delete from stream_tickets where hash = ${hashOf(ticket)} and expires_at > clock_timestamp()
    returning user_id, session_id, session_expires_at`;
  return row === undefined
    ? null
    : { userId: row.user_id, sessionId: row.session_id, expiresAt: row.session_expires_at };
}

function hashOf(ticket: string): Uint8Array {
  return digestOf("sha256", ticket);
}
