import { Failure } from './failure.ts'
import type { Lines } from './lines.ts'
import type { TlsParts } from './tls.ts'
import type { StartTls } from './tls-fields.ts'

export interface StartTlsParts {
  readonly wish: StartTls
  readonly tls: TlsParts
  isOffered(): Promise<boolean> | boolean
  /** Sends the protocol's command; undefined when the server agrees, else its answer, printable. */
  ask(): Promise<string | undefined>
}

/**
 * Goes over to TLS as `starttls` wishes; false when the connection stays plain.
 *
 * @throws Failure `tls` when TLS is a must and the server will not
 */
export async function startTls(lines: Lines, { wish, tls, isOffered, ask }: StartTlsParts): Promise<boolean> {
  if (wish === 'no') return false
  const why = (await isOffered()) ? await refusal(lines, ask) : 'it is not offered'
  if (why === undefined) {
    await lines.upgrade(tls)
    return true
  }
  if (wish === 'yes') throw new Failure('tls', `no STARTTLS: ${why}`)
  lines.step(`going on without TLS: ${why}`)
  return false
}

async function refusal(lines: Lines, ask: () => Promise<string | undefined>): Promise<string | undefined> {
  lines.enter('asking for TLS')
  return await ask()
}
