import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Behaviour } from './hostile.ts'

/** What the peer does when it is its turn: says a text, or says it and goes on under TLS, or anything else. */
export type Turn = string | Buffer | { readonly thenTls: string } | ((socket: Socket) => void)

export interface Script {
  /** Said before the client has said anything. */
  readonly greeting?: Turn
  /** The first pattern that matches the client's line gives the turn. A line without one is heard and left at that. */
  readonly answers?: readonly (readonly [pattern: RegExp, turn: Turn])[]
  /** Those under TLS, where they differ. */
  readonly tlsAnswers?: Script['answers']
  /** Said when TLS has begun. */
  readonly tlsGreeting?: string
  readonly certificate?: { readonly key: Buffer; readonly cert: Buffer }
}

export interface LineServer {
  readonly behave: Behaviour
  /** Every line of every client, those under TLS marked with `tls: `. */
  readonly heard: readonly string[]
}

/** A peer that speaks in lines as a script tells it. */
export function lineServer(script: Script): LineServer {
  const heard: string[] = []
  const plain = (socket: Socket): void => serve(socket, script.answers ?? [], '')
  const serve = (socket: Socket, answers: NonNullable<Script['answers']>, mark: string): void => {
    const act = (turn: Turn | undefined): void => {
      if (typeof turn === 'function') turn(socket)
      else if (typeof turn === 'string' || Buffer.isBuffer(turn)) socket.write(turn)
      else if (turn !== undefined) {
        socket.removeAllListeners('data')
        socket.write(turn.thenTls)
        const secure = new TLSSocket(socket, { isServer: true, ...script.certificate })
        secure.on('error', () => undefined)
        serve(secure, script.tlsAnswers ?? answers, 'tls: ')
        if (script.tlsGreeting !== undefined) secure.write(script.tlsGreeting)
      }
    }
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        heard.push(`${mark}${line}`)
        act(answers.find(([pattern]) => pattern.test(line))?.[1])
      }
    })
    if (mark === '' && script.greeting !== undefined) act(script.greeting)
  }
  return { behave: plain, heard }
}

/** Says `text` and closes in good order. */
export const saysAndCloses =
  (text: string): Turn =>
  (socket) => {
    socket.end(text)
  }

/** RST. */
export const resetsHere: Turn = (socket) => {
  socket.resetAndDestroy()
}

/** `piece` for ever, as fast as the client takes it. */
export const endlessly =
  (piece: string): Turn =>
  (socket) => {
    const block = piece.repeat(Math.ceil(16_384 / piece.length))
    const pump = (): void => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', pump)
    pump()
  }
