import { createHash, createHmac } from 'node:crypto'
import type { Secret } from '../../lib/secret.ts'
import { Failure } from '../failure.ts'
import { type Lines, quoted } from '../lines.ts'
import { type Answer, capabilities, command } from './dialogue.ts'

export interface Credentials {
  readonly login: string
  readonly passwd: Secret
  /** Of the banner; its `<…@…>`, where it has one, is the challenge of APOP. */
  readonly banner: string
}

/**
 * Logs in once, in the way that shows least: APOP, CRAM-MD5, else name and password. A second try with the same
 * password would only bring a lock-out nearer (defect D27).
 *
 * @throws Failure `auth` when the server does not take it
 */
export async function logIn(lines: Lines, { login, passwd, banner }: Credentials): Promise<void> {
  const challenge = /<[^<>\s]+@[^<>\s]+>/.exec(banner)?.[0]
  if (challenge !== undefined) {
    const digest = createHash('md5').update(challenge).update(passwd.reveal()).digest('hex')
    lines.enter('logging in with APOP')
    return settle('APOP', await command(lines, `APOP ${login} ${digest}`, [passwd.reveal(), digest]))
  }
  const offered = await capabilities(lines)
  if (offered.some((line) => /^SASL .*\bCRAM-MD5\b/.test(line))) return await cramMd5(lines, login, passwd)
  lines.enter('logging in')
  const user = await command(lines, `USER ${login}`)
  if (!user.isOk) {
    const hint = offered.includes('STLS') ? ' (it offers TLS: starttls = yes may help)' : ''
    throw new Failure(reasonOf(user), `USER was answered with ${user.shown}${hint}`)
  }
  settle('PASS', await command(lines, `PASS ${passwd.reveal()}`, [passwd.reveal()]))
}

/** RFC 2195: the challenge comes, and name and digest go, in base64. */
async function cramMd5(lines: Lines, login: string, passwd: Secret): Promise<void> {
  lines.enter('logging in with CRAM-MD5')
  lines.write('AUTH CRAM-MD5')
  const line = await lines.readLine()
  const [, challenge] = /^\+ ([A-Za-z0-9+/=]+)$/.exec(line) ?? []
  if (challenge === undefined) throw new Failure('protocol', `AUTH was answered with ${quoted(line)}`)
  const digest = createHmac('md5', passwd.reveal()).update(Buffer.from(challenge, 'base64')).digest('hex')
  const proof = Buffer.from(`${login} ${digest}`).toString('base64')
  settle('CRAM-MD5', await command(lines, proof, [passwd.reveal(), proof, digest]))
}

function settle(way: string, answer: Answer): void {
  if (!answer.isOk) throw new Failure(reasonOf(answer), `${way} was answered with ${answer.shown}`)
}

/** Codes of RFC 3206 and RFC 2449 that tell of trouble other than the account's. */
function reasonOf({ text }: Answer): 'auth' | 'protocol' {
  return /^\[(?:SYS\/|IN-USE|LOGIN-DELAY)/i.test(text) ? 'protocol' : 'auth'
}
