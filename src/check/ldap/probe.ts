import type { Socket } from 'node:net'
import type { OptionsOf } from '../../lib/fields.ts'
import { printable } from '../../lib/printable.ts'
import { type CheckResult, down, up } from '../../model/verdict.ts'
import type { CheckContext, Target } from '../contract.ts'
import { dial, type Progress } from '../dial.ts'
import { Failure, failureOf } from '../failure.ts'
import { login, passwd, receive, request, virtualhost } from '../fields.ts'
import type { ReceivePattern } from '../receive/receive.ts'
import { secure } from '../tls.ts'
import { type StartTls, tlsFields } from '../tls-fields.ts'
import { type Conversation, loadLdap } from './conversation.ts'
import { parseSearch } from './search.ts'

/** Of ldaps; ldap has `starttls` beside. */
export const ldapFields = { login, passwd, request, receive, virtualhost, ...tlsFields }

export interface LdapQuestion {
  readonly options: OptionsOf<typeof ldapFields>
  /** Where TLS begins: with the first byte, or when the server has agreed. */
  readonly tls: 'at once' | StartTls
  readonly context: CheckContext
}

/** Binds and looks for one entry. */
export async function probeLdap(target: Target, question: LdapQuestion): Promise<CheckResult> {
  const { signal, step } = question.context
  const progress: Progress = { phase: '' }
  const enter = (phase: string): void => {
    progress.phase = phase
    step(phase)
  }
  let socket: Socket | undefined
  try {
    const converse = await loadLdap()
    enter('connecting')
    const plain = await dial(target, signal)
    socket = plain
    const toTls = async (): Promise<Conversation> => {
      enter('in the TLS handshake')
      const { options, context } = question
      const { virtualhost: name } = options
      socket = await secure(plain, { options, virtualhost: name, address: target.address }, context)
      return converse(socket)
    }
    if (question.tls === 'at once') return await ask(await toTls(), question, enter)
    let conversation = converse(plain)
    if (question.tls !== 'no') {
      enter('asking for TLS')
      const answer = await conversation.startTls()
      if (answer.agreed) conversation = await toTls()
      else if (question.tls === 'yes') throw new Failure('tls', `the server refuses STARTTLS: ${answer.why}`)
      else step(`going on without TLS: ${answer.why}`)
    }
    return await ask(conversation, question, enter)
  } catch (error) {
    return failureOf(error, signal, progress.phase)
  } finally {
    socket?.destroy()
  }
}

async function ask(
  conversation: Conversation,
  { options, context }: LdapQuestion,
  enter: (phase: string) => void,
): Promise<CheckResult> {
  const { login: name, passwd: secret, receive: pattern } = options
  const isAnonymous = name === '' || secret.isEmpty
  enter(isAnonymous ? 'binding without a name' : 'binding')
  await conversation.bind(isAnonymous ? undefined : { name, secret })
  enter('waiting for the entry')
  // It always begins with a slash, put there by the config where the file has none.
  const names = await conversation.search(parseSearch(options.request.text.slice(1)))
  const result = judge(names, pattern)
  context.decided(result)
  await conversation.leave()
  return result
}

/** Behaviour reference 3.4: one entry and no more, and its name is what `receive` looks at. */
function judge(names: readonly string[], pattern: ReceivePattern | undefined): CheckResult {
  const [name] = names
  if (name === undefined) return down('mismatch', 'the search found no entry')
  if (names.length > 1) return down('mismatch', 'the search found more than one entry')
  const shown = name === '' ? 'the root entry' : `the entry "${printable(name, 200)}"`
  if (pattern === undefined) return up(`found ${shown}`)
  const outcome = pattern.search(Buffer.from(name))
  if (outcome === 'yes') return up(`found ${shown}, which receive matches`)
  if (outcome === 'gave-up') return down('mismatch', `found ${shown}; the search for receive in it took too long`)
  return down('mismatch', `receive pattern not found in the name of ${shown}`)
}
