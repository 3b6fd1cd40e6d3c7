import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createAlerts } from '../../src/alert/alerts.ts'
import type { MailServer } from '../../src/config/model.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { Event } from '../../src/model/events.ts'
import { alertTo } from '../alert/stage.ts'
import { configOf, virtual } from '../control/stage.ts'
import { type Delivered, type EximMailbox, startEximMailbox } from './exim-mailbox.ts'
import { needs } from './needs.ts'

const of = { virtual: '192.0.2.1:80', identity: 'tcp:192.0.2.1:80', real: '10.0.0.1:80' }
const gone: Event = { kind: 'real-deleted', turn: 'out', mappedFrom: undefined, reason: 'refused', ...of }
const back: Event = { kind: 'real-added', turn: 'in', weight: 1, ...of }
const subject = 'Deleted real server: 10.0.0.1:80 (192.0.2.1:80)'
const body = (title: string, more = '') =>
  `ldirectord host: director.example.test\nLog-Message: ${title}\nDaemon-Status: running\n${more}`

const recipients = (all: readonly Delivered[]): string[] => all.map(({ recipient }) => recipient).sort()

describe('alerts by mail, with a real Exim', function () {
  this.timeout(60_000)
  let server: EximMailbox
  before(async function () {
    needs(this, 'exim4', 'openssl')
    server = await startEximMailbox()
  })
  after(() => server?.stop())
  beforeEach(() => rm(join(server.directory, 'mailbox'), { force: true }))

  const smtp = (parts: Partial<MailServer> = {}): MailServer => ({
    host: '127.0.0.1',
    port: server.port,
    starttls: 'try',
    login: undefined,
    password: undefined,
    ...parts,
  })
  interface Told {
    readonly from?: string
    /** Lines of the log that are waited for; one for each event when absent. */
    readonly lines?: number
  }
  async function tell(
    alert: Parameters<typeof alertTo>[0],
    events: readonly Event[],
    { from, lines = events.length }: Told = {},
  ): Promise<string[]> {
    const log: string[] = []
    let enough = (): void => undefined
    const done = new Promise<void>((resolve) => (enough = resolve))
    const alerts = createAlerts({
      clock: systemClock,
      tell: (event) => {
        log.push(...wordEvent(event, { pid: 1, version: '0' }).lines)
        if (log.length >= lines) enough()
      },
      phase: () => 'running',
      isHeld: () => false,
      instance: 'ldirectord',
      host: 'director.example.test',
      user: 'root',
      sendmailPaths: [server.sendmail],
    })
    alerts.onConfig(configOf([virtual({ alert: alertTo(alert) })], { emailAlertFrom: from }))
    for (const event of events) alerts.tell(event)
    await done
    await alerts.stop()
    return log
  }

  it('reach each of two recipients, under TLS, with the headers and the body of the reference', async () => {
    const log = await tell({ to: 'a@x.test, b@y.test', smtp: smtp(), serviceName: 'web', comment: 'call Bob' }, [gone])
    assert.deepEqual(log, [`emailalert: ${subject}`])
    const all = await server.deliveries(2)
    assert.deepEqual(recipients(all), ['a@x.test', 'b@y.test'])
    const [first] = all
    assert.ok(first !== undefined)
    assert.deepEqual([first.sender, first.underTls, first.account], ['root@director.example.test', true, ''])
    const { From, To, Subject, Date: date = '' } = first.headers
    assert.deepEqual([From, To, Subject], ['root@director.example.test', 'a@x.test, b@y.test', `[web] ${subject}`])
    assert.ok(Math.abs(Date.parse(date) - Date.now()) < 600_000, date)
    assert.match(first.headers['Message-ID'] ?? '', /^<[0-9a-f-]{36}@director\.example\.test>$/)
    assert.equal(first.body.trimEnd(), body(`[web] ${subject}`, '\nService name: web\nComment: call Bob'))
  })

  it('come in the order in which things happened', async () => {
    const events = Array.from({ length: 20 }, (_, i): Event => ({ ...gone, real: `10.0.0.${i}:80` }))
    const log = await tell({ smtp: smtp() }, events)
    assert.deepEqual(
      log,
      events.map((_, i) => `emailalert: Deleted real server: 10.0.0.${i}:80 (192.0.2.1:80)`),
    )
    assert.equal((await server.deliveries(20)).length, 20)
  })

  it('go without TLS where it is not wanted, and log in where there is a login', async () => {
    await tell({ smtp: smtp({ starttls: 'no' }) }, [gone])
    assert.equal((await server.deliveries(1))[0]?.underTls, false)
    await tell({ smtp: smtp({ login: 'director', password: new Secret('s3cret') }) }, [back])
    const [, second] = await server.deliveries(2)
    assert.deepEqual([second?.account, second?.underTls], ['director', true])
  })

  it('tell of a password that is wrong without telling it', async () => {
    const log = await tell({ smtp: smtp({ login: 'director', password: new Secret('guess') }) }, [gone], { lines: 2 })
    assert.equal(log.length, 2)
    assert.match(log[0] ?? '', /^failed to send SMTP email message: 127\.0\.0\.1:\d+: .*535/)
    assert.match(log[1] ?? '', /^Alerts not sent: 1 \(emailalert through /)
    assert.ok(!log.join('').includes('guess'))
  })

  it('reach those who have a mailbox though another has none', async () => {
    const log = await tell({ to: 'unknown@x.test, b@y.test', smtp: smtp() }, [gone], { lines: 2 })
    assert.match(log[0] ?? '', /unknown@x\.test: .*there is no such mailbox/)
    assert.equal((await server.deliveries(1))[0]?.recipient, 'b@y.test')
  })

  it('are not sent where TLS must be, and the certificate is nobody’s', async () => {
    const log = await tell({ smtp: smtp({ starttls: 'yes' }) }, [gone])
    assert.match(log[0] ?? '', /^failed to send SMTP email message: .*certificate/)
  })

  it('have the sender that the file names', async () => {
    await tell({ smtp: smtp() }, [gone], { from: 'LVS <lvs@example.test>' })
    const [first] = await server.deliveries(1)
    assert.deepEqual([first?.sender, first?.headers['From']], ['lvs@example.test', 'LVS <lvs@example.test>'])
  })

  describe('through the sendmail program', () => {
    it('reach each recipient; the program fills in the sender', async () => {
      const log = await tell({ to: 'a@x.test, b@y.test' }, [gone])
      assert.deepEqual(log, [`emailalert: ${subject}`])
      const all = await server.deliveries(2)
      assert.deepEqual(recipients(all), ['a@x.test', 'b@y.test'])
      const [first] = all
      assert.match(first?.headers['From'] ?? '', /@example\.test/)
      assert.deepEqual([first?.headers['Subject'], first?.body.trimEnd()], [subject, body(subject).trimEnd()])
    })

    it('have the sender that the file names', async () => {
      await tell({}, [back], { from: 'lvs@example.test' })
      const [first] = await server.deliveries(1)
      assert.deepEqual([first?.sender, first?.headers['From']], ['lvs@example.test', 'lvs@example.test'])
    })
  })
})
