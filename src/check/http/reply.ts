import type { Socket } from 'node:net'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD'
  /** Path and query, encoded. */
  readonly path: string
  readonly hostHeader: string
}

export interface HttpReply {
  readonly status: number
  /** `HTTP 404 Not Found`, as it came: for people, not yet printable. */
  readonly statusText: string
  readonly location: string | undefined
  /** The body without chunking, otherwise as it was sent. Can be read once; throws where the reply breaks off. */
  readonly body: AsyncIterable<Buffer>
  /** Ends the exchange and its connection; to be called always. */
  close(): void
}

/** Sends a request over an open connection, which it then owns, and reads the reply up to the end of its headers. */
export type Exchange = (socket: Socket, request: HttpRequest) => Promise<HttpReply>

/** A reply that is no HTTP to a strict reader: a lenient one may still make sense of it. */
export class UnreadableReplyError extends Error {
  override readonly name = 'UnreadableReplyError'
}
