import type { Check } from '../src/check/contract.ts'
import { Failure } from '../src/check/failure.ts'
import { converse } from '../src/check/lines.ts'
import { isGood, readReply } from '../src/check/smtp/reply.ts'
import { up } from '../src/model/verdict.ts'

/** Up when the greeting is 2xx, with or without leave to post. */
export const nntp: Check = {
  name: 'nntp',
  kind: 'negotiate',
  summary: 'waits for the greeting of a news server and leaves politely',
  defaultForPorts: [119],
  timeout: 'negotiatetimeout',
  fields: {},
  run: (target, _options, context) =>
    converse({ target, context }, async (lines) => {
      lines.enter('waiting for the greeting')
      const greeting = await readReply(lines)
      if (!isGood(greeting)) throw new Failure('protocol', `the greeting is ${greeting.shown}`)
      return await lines.leave(up(`greeted with ${greeting.shown}`), 'QUIT')
    }),
}
