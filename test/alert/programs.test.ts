import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelContext, deliveriesOf } from '../../src/alert/channels.ts'
import { runAlertCommand } from '../../src/alert/command.ts'
import type { AlertMessage } from '../../src/alert/message.ts'
import { sendByProgram } from '../../src/alert/sendmail.ts'
import type { Alert } from '../../src/config/model.ts'
import { alertTo } from './stage.ts'

const never = new AbortController().signal
const message: AlertMessage = {
  event: 'real-deleted',
  subject: 'Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
  at: Date.UTC(2026, 10, 21, 12, 0, 0),
  phase: 'running',
  virtual: '192.0.2.1:80',
  identity: 'tcp:192.0.2.1:80',
  real: '10.0.0.1:80',
  state: 'out',
  reason: 'connection refused',
  weight: undefined,
  serviceName: 'web',
  comment: undefined,
}

describe('programs that are told', function () {
  this.timeout(30_000)
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alert-'))
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const script = async (name: string, text: string): Promise<string> => {
    const file = join(directory, name)
    await writeFile(file, `#!/bin/sh\n${text}\n`)
    await chmod(file, 0o755)
    return file
  }
  const seen = (name: string): Promise<string> => readFile(join(directory, name), 'utf8')
  const contextWith = (paths: readonly string[], from?: string): ChannelContext => ({
    host: 'director.example.test',
    instance: 'ldirectord',
    from,
    user: 'root',
    sendmailPaths: paths,
  })
  const attemptOf = (alert: Alert, context: ChannelContext) => {
    const [delivery, ...more] = deliveriesOf(message, alert, context)
    assert.deepEqual(more, [])
    if (delivery === undefined) throw new Error('nothing to deliver')
    return delivery.attempt(never)
  }

  describe('sendmail', () => {
    const keeping = () => script('sendmail', `echo "$@" > ${directory}/args; cat > ${directory}/mail`)

    it('gets the mail on its input, and the recipients in the headers', async () => {
      const path = await keeping()
      const outcome = await attemptOf(alertTo({ to: 'a@x.test, b@y.test' }), contextWith(['/nonexistent', path]))
      assert.deepEqual(outcome, { kind: 'sent' })
      assert.equal(await seen('args'), '-i -t\n')
      const mail = (await seen('mail')).replace(/^Message-ID: <\S+@director\.example\.test>$/m, 'Message-ID: one')
      assert.deepEqual(mail.split('\n'), [
        'To: a@x.test, b@y.test',
        'Subject: [web] Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
        'Message-ID: one',
        'Date: Sat, 21 Nov 2026 12:00:00 +0000',
        'Content-Transfer-Encoding: 7bit',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'ldirectord host: director.example.test',
        'Log-Message: [web] Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
        'Daemon-Status: running',
        '',
        'Service name: web',
        '',
        '',
      ])
    })

    it('is told the sender where the file names one', async () => {
      const path = await keeping()
      await attemptOf(alertTo(), contextWith([path], 'LVS <lvs@example.test>'))
      assert.equal(await seen('args'), '-i -t -f lvs@example.test\n')
      assert.match(await seen('mail'), /^From: LVS <lvs@example\.test>$/m)
    })

    it('that is missing may come back', async () => {
      assert.deepEqual(await attemptOf(alertTo(), contextWith(['/nonexistent/a', '/nonexistent/b'])), {
        kind: 'failed',
        retry: true,
        text: 'there is no /nonexistent/a and no /nonexistent/b',
      })
    })

    for (const [status, retry] of [
      [75, true],
      [1, true],
      [67, false],
      [64, false],
    ] as const) {
      it(`that ends with status ${status} is ${retry ? 'tried again' : 'not tried again'}`, async () => {
        const path = await script('failing', `echo; echo "no way" >&2; exit ${status}`)
        assert.deepEqual(await attemptOf(alertTo(), contextWith([path])), {
          kind: 'failed',
          retry,
          text: `${path} ended with status ${status}: no way`,
        })
      })
    }

    it('that never ends is killed with all it started', async () => {
      const path = await script('hanging', `echo $$ > ${directory}/pid; sleep 60`)
      const local = { message: Buffer.from('x'), sender: undefined, paths: [path] }
      const outcome = await sendByProgram(local, AbortSignal.timeout(300))
      assert.deepEqual(outcome, { kind: 'failed', retry: true, text: `${path} took too long` })
    })

    it('is not called when nobody is named', async () => {
      const outcome = await attemptOf(alertTo({ to: ' , ' }), contextWith(['/nonexistent']))
      assert.deepEqual(outcome, { kind: 'failed', retry: false, text: 'no address in emailalert:  , ' })
    })
  })

  describe('alertcommand', () => {
    it('gets the JSON on its input, its words as arguments, and an environment of a few names', async () => {
      const path = await script(
        'command',
        `cat > ${directory}/json; env > ${directory}/env; echo "$2" > ${directory}/word`,
      )
      const alert = alertTo({ to: undefined, command: [path, '$(touch x)', 'a;b'] })
      assert.deepEqual(await attemptOf(alert, contextWith([])), { kind: 'sent' })
      const json = await seen('json')
      assert.ok(json.endsWith('}\n'))
      assert.deepEqual(
        [JSON.parse(json).version, JSON.parse(json).event, JSON.parse(json).message],
        [1, 'real-deleted', message.subject],
      )
      assert.equal(await seen('word'), 'a;b\n')
      const names = (await seen('env')).split('\n').map((line) => line.split('=')[0])
      // The last is Node's own, where coverage is measured.
      const ofTheShell = ['PWD', 'SHLVL', 'OLDPWD', '_', '', 'NODE_V8_COVERAGE']
      assert.deepEqual(names.filter((name) => !ofTheShell.includes(name ?? '')).sort(), [
        'LDIRECTORD_EVENT',
        'LDIRECTORD_HOST',
        'LDIRECTORD_INSTANCE',
        'LDIRECTORD_MESSAGE',
        'LDIRECTORD_REAL',
        'LDIRECTORD_STATE',
        'LDIRECTORD_STATUS',
        'LDIRECTORD_VIRTUAL',
        'PATH',
      ])
    })

    const run = (command: readonly string[], signal = never) =>
      runAlertCommand({ command, input: '{}', environment: {} }, signal)

    it('that fails is not run again: nobody knows what it has done', async () => {
      const path = await script('bad', 'yes "a complaint" | head -c 1000000; exit 3')
      assert.deepEqual(await run([path]), { kind: 'failed', retry: false, text: 'exit status 3: a complaint' })
    })

    it('that is missing is not tried again', async () => {
      const outcome = await run(['/nonexistent/command'])
      assert.deepEqual(outcome, { kind: 'failed', retry: false, text: 'spawn /nonexistent/command ENOENT' })
    })

    it('that never ends is killed', async () => {
      const path = await script('forever', 'trap "" TERM; while :; do sleep 1; done')
      assert.deepEqual(await run([path], AbortSignal.timeout(200)), {
        kind: 'failed',
        retry: false,
        text: 'took too long, now killed',
      })
    })
  })

  it('are all told of the same alert, and mail is no condition', () => {
    const alert = alertTo({ command: ['/bin/x'], webhook: 'https://u:p@hooks.example.test/secret/token' })
    const channels = (of: Alert) => deliveriesOf(message, of, contextWith([])).map(({ to }) => [to.channel, to.target])
    assert.deepEqual(channels(alert), [
      ['sendmail', 'sendmail'],
      ['command', '/bin/x'],
      ['webhook', 'https://hooks.example.test'],
    ])
    assert.deepEqual(channels({ ...alert, to: undefined }).length, 2)
    assert.deepEqual(channels(alertTo({ to: undefined })), [])
  })
})
