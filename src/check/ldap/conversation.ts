import type { connect, Socket } from 'node:net'
import type { Client } from 'ldapts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Secret } from '../../lib/secret.ts'
import type { DownReason } from '../../model/verdict.ts'
import { Failure } from '../failure.ts'
import { MessageStream } from './message-stream.ts'
import type { Search } from './search.ts'

/** RFC 4511 section 4.14.1. */
const startTlsOid = '1.3.6.1.4.1.1466.20037'

/** The server's answer to STARTTLS; on `yes` the socket is free for the handshake. */
export type StartTlsAnswer = { readonly agreed: true } | { readonly agreed: false; readonly why: string }

/** One conversation at a time on a socket of ours, through the library. */
export interface Conversation {
  /** @throws Failure, ClosedError, a socket's error */
  startTls(): Promise<StartTlsAnswer>
  /** Simple bind; without a name and a secret the anonymous one. */
  bind(as: { readonly name: string; readonly secret: Secret } | undefined): Promise<void>
  /** Names of the entries found, at most two. */
  search(search: Search): Promise<readonly string[]>
  /** Says good-bye; resolves when the connection has ended. */
  leave(): Promise<void>
}

/** Loads the library, which takes its time once; so before there is a socket, whose end would be missed meanwhile. */
export async function loadLdap(): Promise<(socket: Socket) => Conversation> {
  const { Client: LdapClient } = await import('ldapts')
  return (socket) => {
    const stream = new MessageStream(socket)
    const createConnection: unknown = () => stream
    // its time limits stay off: the deadline is the probe's, and destroys the socket
    const client = new LdapClient({ url: 'ldap://server', createConnection: createConnection as typeof connect })
    return conversationOf(client, stream)
  }
}

function conversationOf(client: Client, stream: MessageStream): Conversation {
  /** What the stream breaks with is told first, for the library words the end of a connection otherwise. */
  const said = <T>(answer: Promise<T>, hidden = ''): Promise<T> =>
    Promise.race([stream.broken, answer.catch((error: unknown) => Promise.reject(new Refusal(error, hidden)))])
  return {
    startTls: async () => {
      try {
        await said(client.exop(startTlsOid))
      } catch (error) {
        if (error instanceof Refusal && error.code !== undefined) return { agreed: false, why: error.message }
        throw error
      }
      stream.detach()
      return { agreed: true }
    },
    bind: (as) => {
      const secret = as?.secret.reveal() ?? ''
      return said(client.bind(as?.name ?? '', secret), secret)
    },
    search: async ({ base, ...more }) => {
      // no attribute is wanted: "1.1" (RFC 4511 section 4.5.1.8)
      const attributes = more.attributes.length === 0 ? ['1.1'] : [...more.attributes]
      const options = { scope: more.scope, filter: more.filter, attributes, sizeLimit: 2, timeLimit: 0 }
      const { searchEntries } = await said(client.search(base, options))
      return searchEntries.map(({ dn }) => dn)
    },
    leave: () => client.unbind(),
  }
}

/** Result codes of RFC 4511 that tell who may come in or do this. */
const authCodes = new Set([7, 8, 13, 48, 49, 50])
const noSuchObject = 32

/** What the library rejects with: the server's own result, or an answer that it could not read. */
class Refusal extends Failure {
  /** The server's, undefined when the answer was none. */
  readonly code: number | undefined

  constructor(error: unknown, hidden: string) {
    const code = resultCode(error)
    const text = messageOf(error).replace(/\s*Code: 0x[0-9a-f]+$/, '')
    // a server may repeat what it was told
    const safe = printable(hidden === '' ? text : text.replaceAll(hidden, '(hidden)'), 200)
    if (code === undefined) super('protocol', `not understood: ${safe}`)
    else super(reasonOf(code), `error ${code}: ${safe}`)
    this.code = code
  }
}

function reasonOf(code: number): DownReason {
  if (code === noSuchObject) return 'mismatch'
  return authCodes.has(code) ? 'auth' : 'protocol'
}

function resultCode(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'number' ? code : undefined
}
