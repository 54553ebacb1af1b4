import type { Identity } from "../../../shared/http/auth.ts";
import { Problem } from "../../../shared/problem.ts";
import type { Sessions } from "./sessions.ts";
import type { StreamUser } from "../stream/streams.ts";

/**
 * Who sends a request: by token or cookie, or by a one-time ticket for a stream. Refuses sessions that were logged out,
 * whose tokens are still good by themselves.
 */
export function makeAuthenticate(options: {
  authenticate: (request: Request) => Promise<Identity>;
  isOver: Sessions["isOver"];
  redeemTicket: (ticket: string) => Promise<StreamUser | null>;
}): (request: Request) => Promise<Identity> {
  const { authenticate, isOver, redeemTicket } = options;
  const ticketOf = (request: Request): string | null => {
    if (request.method !== "GET") return null;
    const { pathname, searchParams } = new URL(request.url);
    return pathname === "/v1/stream" ? searchParams.get("ticket") : null;
  };
  const byTicket = async (ticket: string): Promise<Identity> => {
    const who = await redeemTicket(ticket);
    if (who === null) throw new Problem("UNAUTHENTICATED", "The ticket was used already or has expired");
    return { ...who, via: "bearer" };
  };
  return async (request) => {
    const ticket = ticketOf(request);
    const identity = ticket === null ? await authenticate(request) : await byTicket(ticket);
    if (isOver(identity)) throw new Problem("UNAUTHENTICATED", "The session was ended");
    return identity;
  };
}
