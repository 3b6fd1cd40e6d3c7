import type { OptionsOf } from '../../lib/fields.ts'
import { type CheckResult, up } from '../../model/verdict.ts'
import type { CheckContext, Target } from '../contract.ts'
import { Failure } from '../failure.ts'
import { login, passwd, virtualhost } from '../fields.ts'
import { converse } from '../lines.ts'
import { startTls } from '../start-tls.ts'
import { type StartTls, tlsFields } from '../tls-fields.ts'
import { capabilities, command, readAnswer } from './dialogue.ts'
import { logIn } from './log-in.ts'

/** Of pops; pop has `starttls` beside. */
export const popFields = { login, passwd, virtualhost, ...tlsFields }

export interface PopQuestion {
  readonly options: OptionsOf<typeof popFields>
  /** Where TLS begins: with the first byte, or when the server has agreed. */
  readonly tls: 'at once' | StartTls
  readonly context: CheckContext
}

/** Banner, perhaps STLS (RFC 2595), a login where there is one, QUIT. */
export function probePop(target: Target, { options, tls, context }: PopQuestion): Promise<CheckResult> {
  const parts = { options, virtualhost: options.virtualhost, address: target.address }
  const atOnce = tls === 'at once'
  return converse({ target, context, ...(atOnce ? { tls: parts } : {}) }, async (lines) => {
    lines.enter('waiting for the banner')
    const banner = await readAnswer(lines)
    if (!banner.isOk) throw new Failure('protocol', `the banner is ${banner.shown}`)
    const upgraded = await startTls(lines, {
      wish: atOnce ? 'no' : tls,
      tls: parts,
      isOffered: async () => (await capabilities(lines)).includes('STLS'),
      ask: async () => {
        const answer = await command(lines, 'STLS')
        return answer.isOk ? undefined : answer.shown
      },
    })
    const isLogin = options.login !== ''
    if (isLogin) await logIn(lines, { ...options, banner: banner.text })
    return await lines.leave(
      up(`${isLogin ? 'logged in' : `greeted with ${banner.shown}`}${upgraded ? ', over TLS' : ''}`),
      'QUIT',
    )
  })
}
