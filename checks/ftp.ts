import type { Socket } from 'node:net'
import type { Check, Target } from '../src/check/contract.ts'
import { dial } from '../src/check/dial.ts'
import { Failure } from '../src/check/failure.ts'
import { login, passwd, receive, request } from '../src/check/fields.ts'
import { askForPort, command, expectDone, isDone, logIn, readReply } from '../src/check/ftp/dialogue.ts'
import { receiveAll, type Transfer } from '../src/check/ftp/transfer.ts'
import { converse, type Lines } from '../src/check/lines.ts'
import type { ReceivePattern } from '../src/check/receive/receive.ts'
import { type CheckResult, down, up } from '../src/model/verdict.ts'

const fields = { login, passwd, request, receive }

/** Up when the login and, if one is asked for, the transfer of a file succeed, and the file matches `receive`. */
export const ftp: Check<typeof fields> = {
  name: 'ftp',
  kind: 'negotiate',
  summary: 'logs in to an FTP server, anonymously without a login, and fetches the file in request',
  defaultForPorts: [21],
  timeout: 'negotiatetimeout',
  fields,
  run: (target, options, context) =>
    converse({ target, context }, async (lines) => {
      await logIn(lines, options.login === '' ? 'anonymous' : options.login, options.passwd)
      const path = options.request.text
      const result =
        path === '/' ? noFile(options.receive) : await fetchFile(lines, { target, path, ...options, ...context })
      return await lines.leave(result, 'QUIT')
    }),
}

/** The default: no file has this name. Perl ldirectord is up then, when there is nothing to match either. */
function noFile(pattern: ReceivePattern | undefined): CheckResult {
  if (pattern === undefined) return up('logged in')
  return down('mismatch', 'receive has nothing to look at: set request to a file')
}

interface Wanted {
  readonly target: Target
  readonly path: string
  readonly receive: ReceivePattern | undefined
  readonly signal: AbortSignal
}

async function fetchFile(lines: Lines, { target, path, receive: pattern, signal }: Wanted): Promise<CheckResult> {
  expectDone(await command(lines, 'TYPE I'))
  const port = await askForPort(lines, target.family)
  lines.enter('opening the data connection')
  const data = await dial({ address: target.address, port }, signal)
  try {
    return judge(await retrieve(lines, path, data), pattern)
  } finally {
    data.destroy()
  }
}

async function retrieve(lines: Lines, path: string, data: Socket): Promise<Transfer> {
  lines.enter('asking for the file')
  const coming = receiveAll(data)
  // it may end before the server says why, and the reason is the better one
  coming.catch(() => undefined)
  const begun = await command(lines, `RETR ${path}`)
  // 1xx: it begins; a server that has sent it already may say so at once
  if (begun.code >= 300) throw notDelivered(begun.code, begun.text)
  lines.enter('waiting for the file')
  const transfer = await coming
  // of a file that is too long the rest is not waited for
  if (transfer.isCut || isDone(begun)) return transfer
  const done = await readReply(lines)
  if (!isDone(done)) throw notDelivered(done.code, done.text)
  return transfer
}

/** 550: no such file, or not for this account. */
function notDelivered(code: number, text: string): Failure {
  return new Failure(code === 550 ? 'mismatch' : 'protocol', `file not delivered: ${text}`)
}

function judge({ content, isCut }: Transfer, pattern: ReceivePattern | undefined): CheckResult {
  const size = isCut ? `the first ${content.length} bytes` : `${content.length} bytes`
  const outcome = pattern?.search(content) ?? 'yes'
  if (outcome === 'yes') return up(`fetched ${size}`)
  if (outcome === 'gave-up') return down('mismatch', `the search for receive in ${size} took too long`)
  return down('mismatch', `receive pattern not found in ${size}`)
}
