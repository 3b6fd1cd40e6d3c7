import type { Socket } from 'node:net'
import { printable } from '../lib/printable.ts'
import { Secret } from '../lib/secret.ts'
import type { CheckResult } from '../model/verdict.ts'
import type { CheckContext, Target } from './contract.ts'
import { ClosedError, dial, type Progress } from './dial.ts'
import { Failure, failureOf } from './failure.ts'
import { secure, type TlsParts } from './tls.ts'

/** Bytes; a reply line of SMTP ends at 512, but a list of capabilities may be one line. */
export const longestLine = 8192
/** Bytes of everything a server says in one dialogue. */
export const mostBytes = 65_536

/** A conversation in lines over one connection: we say a line, the server answers with some. */
export class Lines {
  #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #heard = 0
  readonly #context: CheckContext
  readonly #progress: Progress

  constructor(socket: Socket, context: CheckContext, progress: Progress) {
    this.#socket = socket
    this.#context = context
    this.#progress = progress
  }

  /** Says how far it has got: for the trace, and for the text of a time-out. */
  enter(phase: string): void {
    this.#progress.phase = phase
    this.#context.step(phase)
  }

  step(note: string): void {
    this.#context.step(note)
  }

  /**
   * The next line without its end, which may be CRLF or LF.
   *
   * @throws Failure `protocol` for one that is too long or too much in all, ClosedError, the socket's error
   */
  async readLine(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\n')
      if ((end < 0 ? this.#rest.length : end) > longestLine) {
        throw new Failure('protocol', `a line of more than ${longestLine} bytes`)
      }
      if (this.#heard > mostBytes) throw new Failure('protocol', `more than ${mostBytes} bytes of replies`)
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end)
        this.#rest = this.#rest.subarray(end + 1)
        return line.endsWith('\r') ? line.slice(0, -1) : line
      }
      await this.#hearMore()
    }
  }

  /** @throws Failure `protocol` for a text that would not be one line */
  write(line: string): void {
    if (/[\r\n\0]/.test(line)) throw new Failure('protocol', 'not sent: a line end or NUL within a command')
    this.#socket.write(`${line}\r\n`)
  }

  /**
   * Goes on over TLS on the same connection. What came before the handshake in plain text is nobody's answer: it may
   * have been put there on the way, to be taken for the server's word under TLS (CVE-2011-0411).
   *
   * @throws Failure `protocol` for such a text, and what `secure` throws
   */
  async upgrade(tls: TlsParts): Promise<void> {
    if (this.#rest.length > 0 || this.#socket.readableLength > 0) {
      throw new Failure('protocol', 'more plain text came where TLS was to begin')
    }
    this.enter('in the TLS handshake')
    this.#socket = await secure(this.#socket, tls, this.#context)
  }

  /**
   * Says good-bye and waits for the answer, or for the end. The verdict is settled by now, whatever the server makes of it.
   *
   * @throws the signal's reason only
   */
  async leave(
    result: CheckResult,
    farewell: string,
    isAnswer: (line: string) => boolean = () => true,
  ): Promise<CheckResult> {
    this.#context.decided(result)
    this.enter('saying good-bye')
    try {
      this.write(farewell)
      while (!isAnswer(await this.readLine()));
    } catch {
      // It has gone without a word, or is slow: the verdict is known.
    }
    return result
  }

  async #hearMore(): Promise<void> {
    const chunk = await nextChunk(this.#socket)
    if (chunk === undefined) throw new ClosedError()
    this.#heard += chunk.length
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }
}

export interface Converse {
  readonly target: Target
  readonly context: CheckContext
  /** Given for TLS from the first byte. */
  readonly tls?: TlsParts
}

/** Dials, talks, and closes in any case. Never rejects. */
export async function converse(
  { target, context, tls }: Converse,
  talk: (lines: Lines) => Promise<CheckResult>,
): Promise<CheckResult> {
  const progress: Progress = { phase: 'connecting' }
  let socket: Socket | undefined
  try {
    context.step(progress.phase)
    socket = await dial(target, context.signal)
    const lines = new Lines(socket, context, progress)
    if (tls !== undefined) await lines.upgrade(tls)
    return await talk(lines)
  } catch (error) {
    return failureOf(error, context.signal, progress.phase)
  } finally {
    // the TLS socket above it, if there is one, goes with it
    socket?.destroy()
  }
}

/** What was sent and must not be shown, in each of its spellings. */
export type Hidden = Secret | readonly string[]

/** A server's line for a message; a password that it repeats is taken out. */
export function quoted(line: string, hidden: Hidden = []): string {
  const texts = (hidden instanceof Secret ? [hidden.reveal()] : hidden).filter((each) => each !== '')
  return printable(
    texts.reduce((text, each) => text.replaceAll(each, '(hidden)'), line),
    200,
  )
}

/** undefined at the end of the connection. */
function nextChunk(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.off('readable', look).off('end', onEnd).off('close', onEnd).off('error', onEnd)
      act()
    }
    const look = (): void => {
      const chunk: Buffer | null = socket.read()
      if (chunk !== null) settle(() => resolve(chunk))
    }
    const onEnd = (): void => settle(() => (socket.errored === null ? resolve(undefined) : reject(socket.errored)))
    if (socket.destroyed || socket.readableEnded) return onEnd()
    socket.on('readable', look).on('end', onEnd).on('close', onEnd).on('error', onEnd)
    look()
  })
}
