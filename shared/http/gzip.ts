/** Makes bytes smaller, as the content coding gzip. */
export type Gzip = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

/** By Web standards alone: at the level the runtime has chosen, beside its event loop or not. */
export const webGzip: Gzip = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
};
