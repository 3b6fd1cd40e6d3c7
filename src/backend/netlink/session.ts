import { getSystemErrorName } from 'node:util'
import { type Asked, refusalOf } from '../../table/refusal.ts'
import { encodeFamilyLookup } from './codec.ts'
import { messageType } from './constants.ts'
import { decodeFamilyId, errnoOf } from './decode.ts'
import type { Transport } from './transport.ts'
import { type Message, messagesIn } from './wire.ts'

/** One read or one plan: several exchanges, one after the other. */
export interface Session {
  readonly transport: Transport
  readonly signal: AbortSignal
  seq: number
}

export const newSession = (transport: Transport, signal: AbortSignal): Session => ({
  transport,
  signal,
  seq: nextSeq(),
})

let lastSeq = 0
/** Sessions are far enough apart that a late answer to one is never taken for another's. */
function nextSeq(): number {
  lastSeq = (lastSeq + 0x100000) % 0x7ff00000
  return lastSeq
}

/** The id changes when the module is loaded anew, so it is asked for each time; that also loads the module. */
export async function lookUpFamily(session: Session): Promise<number> {
  const messages = await ask(session, (seq) => encodeFamilyLookup(seq), 'lookup')
  const [message] = messages
  const family = message === undefined ? undefined : decodeFamilyId(message)
  if (family === undefined) throw refusalOf('lookup', 'ENOENT')
  return family
}

/** One request with a reply of one message or of a dump. Rejects with the errno that comes instead. */
export async function ask(session: Session, request: (seq: number) => Buffer, asked: Asked): Promise<Message[]> {
  const seq = ++session.seq
  const replies: Message[] = []
  const take = (datagram: Buffer): 'more' | 'last' => {
    for (const message of messagesIn(datagram)) {
      if (message.seq !== seq) continue
      const errno = errnoOf(message)
      if (errno !== undefined && errno !== 0) throw refusalOf(asked, errnoName(errno))
      if (message.type === messageType.done || errno === 0) return 'last'
      replies.push(message)
      if (asked === 'lookup') return 'last'
    }
    return 'more'
  }
  await session.transport.exchange(request(seq), take, session.signal)
  return replies
}

/** `ENOENT`; `errno 513` for one without a name. */
export function errnoName(errno: number): string {
  const name = getSystemErrorName(-errno)
  return name.startsWith('E') ? name : `errno ${errno}`
}
