import type { OptionsOf } from '../../lib/fields.ts'
import { type CheckResult, up } from '../../model/verdict.ts'
import type { CheckContext, Target } from '../contract.ts'
import { Failure } from '../failure.ts'
import { login, passwd, virtualhost } from '../fields.ts'
import { converse, type Lines, quoted } from '../lines.ts'
import { startTls } from '../start-tls.ts'
import { type StartTls, tlsFields } from '../tls-fields.ts'
import { capabilitiesIn, command } from './dialogue.ts'
import { escaped, loginLines } from './login-lines.ts'

/** Of imaps; imap has `starttls` beside. */
export const imapFields = { login, passwd, virtualhost, ...tlsFields }

export interface ImapQuestion {
  readonly options: OptionsOf<typeof imapFields>
  /** Where TLS begins: with the first byte, or when the server has agreed. */
  readonly tls: 'at once' | StartTls
  readonly context: CheckContext
}

interface Greeting {
  /** The connection is logged in already (RFC 3501 section 7.1.4): neither STARTTLS nor LOGIN may follow. */
  readonly isPreauth: boolean
  readonly capabilities: readonly string[] | undefined
  readonly shown: string
}

/** Greeting, perhaps STARTTLS, LOGIN where there is a login, LOGOUT. */
export function probeImap(target: Target, { options, tls, context }: ImapQuestion): Promise<CheckResult> {
  const parts = { options, virtualhost: options.virtualhost, address: target.address }
  const atOnce = tls === 'at once'
  return converse({ target, context, ...(atOnce ? { tls: parts } : {}) }, async (lines) => {
    const greeting = await readGreeting(lines)
    const wish = atOnce ? 'no' : tls
    const capabilities = (): Promise<readonly string[]> => known(lines, greeting)
    const upgraded = await startTls(lines, {
      wish,
      tls: parts,
      isOffered: async () => !greeting.isPreauth && (await capabilities()).includes('STARTTLS'),
      ask: async () => {
        const { status, shown } = await command(lines, { tag: 'a2', pieces: ['STARTTLS'] })
        return status === 'OK' ? undefined : shown
      },
    })
    const isSecure = atOnce || upgraded
    const isLogin = options.login !== '' && !greeting.isPreauth
    // what was told before the handshake counts no more (RFC 3501 section 6.2.1)
    if (isLogin && !isSecure) refuseDisabled(await capabilities())
    if (isLogin) await logIn(lines, options)
    return await lines.leave(
      up(`${isLogin ? 'logged in' : `greeted with ${greeting.shown}`}${upgraded ? ', over TLS' : ''}`),
      'a9 LOGOUT',
      (line) => line.startsWith('a9 '),
    )
  })
}

async function readGreeting(lines: Lines): Promise<Greeting> {
  lines.enter('waiting for the greeting')
  const line = await lines.readLine()
  const [, word] = /^\* (OK|PREAUTH)(?: |$)/i.exec(line) ?? []
  if (word === undefined) throw new Failure('protocol', `the greeting is ${quoted(line)}`)
  return {
    isPreauth: word.toUpperCase() === 'PREAUTH',
    capabilities: capabilitiesIn(line),
    shown: quoted(line.slice(2)),
  }
}

/** Most servers tell their capabilities in the greeting. */
async function known(lines: Lines, { capabilities }: Greeting): Promise<readonly string[]> {
  if (capabilities !== undefined) return capabilities
  lines.enter('waiting for the capabilities')
  const answer = await command(lines, { tag: 'a1', pieces: ['CAPABILITY'] })
  return answer.capabilities ?? []
}

/** A password for nothing would only be read on the way. */
function refuseDisabled(capabilities: readonly string[]): void {
  if (!capabilities.includes('LOGINDISABLED')) return
  const hint = capabilities.includes('STARTTLS') ? 'starttls = yes may help' : 'imaps may help'
  throw new Failure('auth', `the server takes no LOGIN on a plain connection (LOGINDISABLED): ${hint}`)
}

/** Codes of RFC 5530 that tell of the server's own trouble, not of the account. */
const troubles = /^NO \[(?:UNAVAILABLE|SERVERBUG|INUSE|LIMIT|CONTACTADMIN)\]/i

async function logIn(lines: Lines, { login: name, passwd }: ImapQuestion['options']): Promise<void> {
  lines.enter('logging in')
  const secret = passwd.reveal()
  const hidden = [secret, escaped(secret)]
  const { status, shown } = await command(lines, { tag: 'a3', pieces: loginLines(name, secret), hidden })
  if (status === 'OK') return
  const isAccount = status === 'NO' && !troubles.test(shown)
  throw new Failure(isAccount ? 'auth' : 'protocol', `LOGIN was answered with ${shown}`)
}
