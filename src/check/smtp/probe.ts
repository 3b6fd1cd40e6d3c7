import type { OptionsOf } from '../../lib/fields.ts'
import { type CheckResult, up } from '../../model/verdict.ts'
import type { CheckContext, Target } from '../contract.ts'
import { Failure } from '../failure.ts'
import { virtualhost } from '../fields.ts'
import { converse, type Lines } from '../lines.ts'
import { startTls } from '../start-tls.ts'
import { starttls, tlsFields } from '../tls-fields.ts'
import { isGood, type Reply, readReply } from './reply.ts'

export const smtpFields = { starttls, virtualhost, ...tlsFields }

/** The name that Perl ldirectord gives itself; servers do not look it up for one that sends no mail. */
const ourName = 'localhost.localdomain'

/** Service not available, the channel is about to be closed: the one refusal after which HELO makes no sense. */
const closing = 421

/** Banner, EHLO or HELO, perhaps STARTTLS and EHLO again, QUIT. */
export function probeSmtp(
  target: Target,
  options: OptionsOf<typeof smtpFields>,
  context: CheckContext,
): Promise<CheckResult> {
  return converse({ target, context }, async (lines) => {
    lines.enter('waiting for the banner')
    const banner = await readReply(lines)
    if (!isGood(banner)) throw new Failure('protocol', `the banner is ${banner.shown}`)
    let hello = await greet(lines)
    const isSecure = await startTls(lines, {
      wish: options.starttls,
      tls: { options, virtualhost: options.virtualhost, address: target.address },
      isOffered: () => hello.texts.slice(1).some((text) => /^STARTTLS\b/i.test(text)),
      ask: async () => {
        const answer = await command(lines, 'STARTTLS')
        return answer.code === 220 ? undefined : answer.shown
      },
    })
    // what was learnt before the handshake counts no more (RFC 3207 section 4.2)
    if (isSecure) hello = await greet(lines)
    return await lines.leave(up(`greeted with ${hello.shown}${isSecure ? ', over TLS' : ''}`), 'QUIT')
  })
}

/** EHLO, and HELO for a server that does not know it. */
async function greet(lines: Lines): Promise<Reply> {
  lines.enter('waiting for the answer to EHLO')
  const extended = await command(lines, `EHLO ${ourName}`)
  if (isGood(extended)) return extended
  if (extended.code === closing) throw new Failure('protocol', `EHLO was answered with ${extended.shown}`)
  lines.enter('waiting for the answer to HELO')
  const simple = await command(lines, `HELO ${ourName}`)
  if (!isGood(simple)) throw new Failure('protocol', `HELO was answered with ${simple.shown}`)
  // a server without EHLO offers nothing
  return { ...simple, texts: simple.texts.slice(0, 1) }
}

function command(lines: Lines, text: string): Promise<Reply> {
  lines.write(text)
  return readReply(lines)
}
