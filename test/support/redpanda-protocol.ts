import { connect, createServer, type Socket } from "node:net";

/**
 * The APIs of Kafka's protocol that Redpanda 24.3 has, with the newest version of each: the handlers in
 * src/v/kafka/server/handlers of github.com/redpanda-data/redpanda. Later releases have newer ones (topic ids since
 * 25.3), none has KIP-848's.
 */
const redpanda: Readonly<Record<number, number>> = {
  0: 7, // Produce
  1: 11, // Fetch
  2: 4, // ListOffsets
  3: 8, // Metadata
  8: 8, // OffsetCommit
  9: 7, // OffsetFetch
  10: 3, // FindCoordinator
  11: 6, // JoinGroup
  12: 4, // Heartbeat
  13: 4, // LeaveGroup
  14: 4, // SyncGroup
  15: 5, // DescribeGroups
  16: 4, // ListGroups
  17: 1, // SaslHandshake
  18: 3, // ApiVersions
  19: 6, // CreateTopics
  20: 5, // DeleteTopics
  21: 2, // DeleteRecords
  22: 3, // InitProducerId
  23: 4, // OffsetForLeaderEpoch
  29: 2, // DescribeAcls
  30: 2, // CreateAcls
  31: 2, // DeleteAcls
  32: 4, // DescribeConfigs
  33: 2, // AlterConfigs
  35: 2, // DescribeLogDirs
  36: 2, // SaslAuthenticate
  37: 3, // CreatePartitions
  42: 2, // DeleteGroups
  44: 1, // IncrementalAlterConfigs
  47: 0, // OffsetDelete
};
const apiVersions = 18;

type RedpandaProtocol = AsyncDisposable &
  Readonly<{
    broker: string;
    /** The newest version of each API that came through, by its number. */
    used: ReadonlyMap<number, number>;
  }>;

/**
 * A way to a Kafka broker that says it knows what Redpanda knows: clients choose from those versions, and the broker,
 * which has them too, answers. It is given as the broker's own address in every answer that has one.
 */
export async function openRedpandaProtocol(target: string): Promise<RedpandaProtocol> {
  const { hostname, port } = new URL(`kafka://${target}`);
  const used = new Map<number, number>();
  const sockets = new Set<Socket>();
  let ownPort = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const asked = new Map<number, Readonly<{ api: number; version: number }>>();
    const requests = frames((frame) => {
      const [api, version] = [frame.readInt16BE(0), frame.readInt16BE(2)];
      asked.set(frame.readInt32BE(4), { api, version });
      used.set(api, Math.max(version, used.get(api) ?? 0));
      upstream.write(framed(frame));
    });
    const answers = frames((frame) => {
      const request = asked.get(frame.readInt32BE(0));
      if (request?.api === apiVersions) capVersions(frame, request.version);
      movePort(frame, hostname, Number(port), ownPort);
      client.write(framed(frame));
    });
    client.on("data", requests);
    upstream.on("data", answers);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  ownPort = address.port;
  return {
    broker: `127.0.0.1:${ownPort}`,
    used,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Hands on each whole frame, without the four bytes of its length. */
function frames(take: (frame: Buffer) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const end = 4 + held.readInt32BE(0);
      take(Buffer.from(held.subarray(4, end)));
      held = held.subarray(end);
    }
  };
}

function framed(frame: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}

/** In place: key, oldest and newest version of each API, with one byte of tags from version 3 on. */
function capVersions(frame: Buffer, version: number): void {
  const isCompact = version >= 3;
  const count = isCompact ? frame.readUInt8(6) - 1 : frame.readInt32BE(6);
  const [first, size] = isCompact ? [7, 7] : [10, 6];
  for (let entry = 0; entry < count; entry++) {
    const at = first + entry * size;
    const cap = redpanda[frame.readInt16BE(at)];
    if (cap === undefined) frame.writeInt16BE(0x7fff, at);
    else frame.writeInt16BE(Math.min(cap, frame.readInt16BE(at + 4)), at + 4);
  }
}

/** In place: where the broker names itself, by host and port. */
function movePort(frame: Buffer, host: string, from: number, to: number): void {
  const sought = Buffer.alloc(host.length + 4);
  sought.write(host);
  sought.writeInt32BE(from, host.length);
  for (let at = frame.indexOf(sought); at >= 0; at = frame.indexOf(sought, at + 1))
    frame.writeInt32BE(to, at + host.length);
}
