/** What is known of the connection of a request. */
export type ClientConnection = Readonly<{
  /** Where it comes from; `null` where the system does not say. */
  address: string | null;
  /** Lets it be silent for longer than others, from now on. */
  keepOpen: () => void;
}>;

/** Answers every request; never rejects. */
export type AnswerRequest = (request: Request, connection: ClientConnection) => Promise<Response>;

export type ListenOptions = Readonly<{
  hostname: string;
  /** 0 is any free one. */
  port: number;
  answer: AnswerRequest;
  /** What is told of a request that the runtime takes for one and cannot hand on, and of an answer that fails. */
  refuse: (error: unknown) => Response;
}>;

export type HttpListener = Readonly<{
  url: URL;
  /** Takes no new connections and closes idle ones; resolves when every running answer has been sent. */
  drain: () => Promise<void>;
  /** Ends what is left. */
  close: () => Promise<void>;
}>;

/** Rejects when it cannot listen. */
export type Listen = (options: ListenOptions) => Promise<HttpListener>;

/** After so long without a byte a connection is closed, but for streams. */
export const idleSeconds = 60;
