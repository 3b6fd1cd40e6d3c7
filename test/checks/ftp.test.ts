import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { ftp } from '../../checks/ftp.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { compileReceive, isFault } from '../../src/check/receive/receive.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { heldBytes } from '../tools/memory.ts'
import { type FtpPeer, type Script, startFtp } from './ftp-peer.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const password = 'a "secret" pass'

interface Given {
  readonly login?: string
  readonly request?: string
  readonly receive?: string
}

function probe(to: Pick<Ask, 'address' | 'port'>, given: Given = {}, more: Partial<Ask> = {}) {
  const { login = 'probe', request = '/alive.txt' } = given
  const receive = given.receive === undefined ? undefined : compileReceive(given.receive)
  assert.ok(receive === undefined || !isFault(receive))
  const options = { login, passwd: new Secret(password), request: makeRequest(request, false), receive }
  return ask({ check: ftp, address: to.address, port: to.port, options, timeoutMs: 2000, ...more } as Ask)
}

const end = (socket: Socket): void => void socket.end()
const reset = (socket: Socket): void => void socket.resetAndDestroy()
const login = 'USER probe\r\nPASS a "secret" pass\r\n'

describe('the ftp check', () => {
  const servers: Pick<FtpPeer, 'close'>[] = []
  async function start(script: Script = {}): Promise<FtpPeer> {
    const server = await startFtp(script)
    servers.push(server)
    return server
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  it('up: logs in, fetches the file over one passive connection to the same server, and says good-bye', async () => {
    const { control, data } = await start()
    const outcome = await probe(control, { receive: '^Still alive$' })
    assert.deepEqual([verdictOf(outcome), outcome.detail], ['up', 'fetched 12 bytes'])
    await Promise.all([control.untilEmpty(), data.untilEmpty()])
    assert.deepEqual(control.received(), [`${login}TYPE I\r\nPASV\r\nRETR /alive.txt\r\nQUIT\r\n`])
    assert.deepEqual([control.accepted(), data.accepted()], [1, 1])
  })

  it('up over IPv6, with EPSV', async () => {
    const { control } = await start({ host: '::1' })
    assert.equal(verdictOf(await probe(control, { receive: 'alive' })), 'up')
    assert.match(control.received()[0] ?? '', /\r\nEPSV\r\n/)
  })

  it('up: logs in as anonymous without a login', async () => {
    const { control } = await start()
    assert.equal(verdictOf(await probe(control, { login: '' })), 'up')
    assert.match(control.received()[0] ?? '', /^USER anonymous\r\n/)
  })

  it('up: no file asked for, so no data connection', async () => {
    const { control, data } = await start()
    const outcome = await probe(control, { request: '/' })
    assert.deepEqual([verdictOf(outcome), outcome.detail], ['up', 'logged in'])
    assert.deepEqual([control.received(), data.accepted()], [[`${login}QUIT\r\n`], 0])
  })

  it('down mismatch: no file asked for, and a text to look for', async () => {
    const { control } = await start()
    assert.equal(verdictOf(await probe(control, { request: '/', receive: 'alive' })), 'down mismatch')
  })

  it('sends no second command within a path', async () => {
    const { control } = await start()
    const outcome = await probe(control, { request: '/a\r\nDELE b' })
    assert.equal(verdictOf(outcome), 'down protocol')
    assert.equal(control.received().join('').includes('DELE'), false)
  })

  describe('tells what it sees', () => {
    const greets = (greeting: Script['greeting']): Script => ({ greeting })
    const replies = (name: string, reply: string | ((socket: Socket) => void) | undefined): Script => ({
      replies: { [name]: reply },
    })
    const retr = (reply: string, data: hostile.Behaviour): Script => ({ ...replies('RETR', reply), data })
    /** As some servers do: the data connection's reset is there before the reason. */
    const resetsAndRefuses = (): Script => {
      let data: Socket | undefined
      const refuse = (control: Socket): void => {
        data?.resetAndDestroy()
        setImmediate(() => control.write('550 no\r\n'))
      }
      const remember = (socket: Socket): void => {
        data = socket
      }
      return { ...replies('RETR', refuse), data: remember }
    }
    const cases: readonly [title: string, script: Script, verdict: string, detail: RegExp][] = [
      ['a greeting of many lines', greets('220-hello\r\n221 odd\r\n  \r\n220 go on\r\n'), 'up', /fetched/],
      ['lines that end with LF', greets('220-hello\n220 go on\n'), 'up', /fetched/],
      ['no password wanted', replies('USER', '230 come in\r\n'), 'up', /fetched/],
      ['the end of the transfer at once', replies('RETR', '226 done\r\n'), 'up', /12 bytes/],
      ['QUIT is not answered', replies('QUIT', end), 'up', /fetched/],
      ['silence', greets(() => undefined), 'down timeout', /waiting for the greeting/],
      ['closes at once', greets(end), 'down closed', /waiting for the greeting/],
      ['resets at once', greets(reset), 'down closed', /./],
      ['garbage', greets((socket) => socket.end(hostile.noise(4096))), 'down protocol', /not FTP|bytes/],
      ['another protocol', greets('HTTP/1.1 400 Bad Request\r\n\r\n'), 'down protocol', /not FTP: "HTTP/],
      ['a code that is none', greets('999 what\r\n'), 'down protocol', /not FTP/],
      ['a greeting without end', greets('220-and\r\n220-so\r\n'), 'down timeout', /waiting for the greeting/],
      ['ready in a while', greets('120 in five minutes\r\n'), 'down protocol', /^120 in five minutes$/],
      ['too many users', greets('421 too many users\r\n'), 'down protocol', /^421 too many users$/],
      ['control characters', greets('421 a\x1b[2Jb\r\n'), 'down protocol', /^421 a\\x1b\[2Jb$/],
      ['the name is refused', replies('USER', '530 go away\r\n'), 'down auth', /^530 go away$/],
      ['the password is refused', replies('PASS', '530 go away\r\n'), 'down auth', /^530 go away$/],
      [
        'the password is repeated',
        replies('PASS', `500 PASS ${password}?\r\n`),
        'down auth',
        /^500 PASS \(hidden\)\?$/,
      ],
      ['an account is wanted', replies('PASS', '332 account?\r\n'), 'down auth', /^332 /],
      ['too many logins', replies('PASS', '421 later\r\n'), 'down protocol', /^421 later$/],
      ['silence at the login', replies('PASS', undefined), 'down timeout', /logging in/],
      ['the end at the login', replies('PASS', end), 'down closed', /logging in/],
      ['no binary files', replies('TYPE', '504 no\r\n'), 'down protocol', /^504 no$/],
      ['no passive mode', replies('PASV', '502 no\r\n'), 'down protocol', /^502 no$/],
      ['no port', replies('PASV', '227 somewhere\r\n'), 'down protocol', /no port in "227 somewhere"/],
      ['port 0', replies('PASV', '227 (127,0,0,1,0,0)\r\n'), 'down protocol', /no port/],
      ['a port beyond all', replies('PASV', '227 (127,0,0,1,256,1)\r\n'), 'down protocol', /no port/],
      [
        'no such file',
        retr('550 no such file\r\n', hostile.silence),
        'down mismatch',
        /^file not delivered: 550 no such/,
      ],
      ['no such file, and RST', resetsAndRefuses(), 'down mismatch', /^file not delivered: 550 no$/],
      ['no file today', retr('450 busy\r\n', hostile.silence), 'down protocol', /^file not delivered: 450 busy$/],
      ['broken off', retr('150 \r\n426 aborted\r\n', (s) => s.end('Sti')), 'down protocol', /not delivered: 426/],
      ['no word at the end', retr('150 \r\n', (s) => s.end('Still')), 'down timeout', /waiting for the file/],
      ['no data', retr('150 \r\n226 \r\n', hostile.silence), 'down timeout', /waiting for the file/],
      ['RST instead of data', retr('150 \r\n', reset), 'down closed', /reset/],
      ['data, then RST', retr('150 \r\n', (s) => s.write('Still', () => s.resetAndDestroy())), 'down closed', /reset/],
      ['no answer to RETR', replies('RETR', undefined), 'down timeout', /asking for the file/],
      ['the end at RETR', replies('RETR', end), 'down closed', /asking for the file/],
    ]
    for (const [title, script, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const { control, data } = await start(script)
        const outcome = await probe(control, {}, { timeoutMs: verdict === 'down timeout' ? 300 : 3000 })
        assert.equal(verdictOf(outcome), verdict, outcome.detail)
        assert.match(outcome.detail, detail)
        assert.equal(outcome.detail.includes('secret'), false)
        assert.ok(outcome.durationMs < 1500, `took ${outcome.durationMs} ms`)
        await Promise.all([control.untilEmpty(), data.untilEmpty()])
      })
    }

    it('down mismatch: another text than wanted', async () => {
      const { control } = await start()
      const outcome = await probe(control, { receive: 'dead' })
      assert.deepEqual([verdictOf(outcome), outcome.detail], ['down mismatch', 'receive pattern not found in 12 bytes'])
    })

    it('down refused: the data connection', async () => {
      const port = await hostile.refusedPort()
      const { control } = await start(replies('PASV', `227 (127,0,0,1,${port >> 8},${port & 0xff})\r\n`))
      const outcome = await probe(control)
      assert.equal(verdictOf(outcome), 'down refused')
      assert.match(outcome.detail, /opening the data connection/)
    })

    it('down timeout: a data connection that hangs', async () => {
      const unanswered = await hostile.startUnanswered()
      servers.push(unanswered)
      const { port } = unanswered
      const { control } = await start(replies('PASV', `227 (127,0,0,1,${port >> 8},${port & 0xff})\r\n`))
      const outcome = await probe(control, {}, { timeoutMs: 300 })
      assert.equal(verdictOf(outcome), 'down timeout')
      assert.match(outcome.detail, /opening the data connection/)
    })

    it('down refused', async () => {
      assert.equal(verdictOf(await probe({ address: '127.0.0.1', port: await hostile.refusedPort() })), 'down refused')
    })
  })

  describe('reads no more than it must', () => {
    const pumps = (block: string) => (socket: Socket) => {
      const pump = (): void => {
        while (!socket.destroyed && socket.write(block));
      }
      socket.on('drain', pump)
      pump()
    }
    const block = 'x'.repeat(16_384)
    const cases: readonly [title: string, script: Script, verdict: string][] = [
      ['a file without end, of which a megabyte is looked at', { data: pumps(block) }, 'up'],
      ['a greeting line without end', { greeting: pumps(block) }, 'down protocol'],
      ['a greeting of lines without end', { greeting: pumps('220-x\r\n'.repeat(1000)) }, 'down protocol'],
    ]
    for (const [title, script, verdict] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const before = heldBytes()
        const { control, data } = await start(script)
        const outcome = await probe(control)
        assert.equal(verdictOf(outcome), verdict, outcome.detail)
        await Promise.all([control.untilEmpty(), data.untilEmpty()])
        assert.ok(data.bytesSent() < 20_000_000)
        assert.ok(heldBytes() - before < 8_000_000)
      })
    }
  })

  it('leaves nothing behind when it is called off, in any phase', async () => {
    const steps = [
      'connecting',
      'greeting',
      'logging',
      'asking for a data',
      'opening',
      'asking for the file',
      'waiting for the file',
    ]
    for (const step of steps) {
      const { control, data } = await start({ replies: { RETR: '150 wait\r\n' }, data: hostile.silence })
      const controller = new AbortController()
      const running = probe(
        control,
        {},
        { signal: controller.signal, trace: (note) => note.includes(step) && setImmediate(() => controller.abort()) },
      )
      assert.equal(verdictOf(await running), 'unknown cancelled', step)
      await Promise.all([control.untilEmpty(), data.untilEmpty()])
    }
  })

  it('never names the password', async () => {
    const steps: string[] = []
    const outcome = await probe((await start()).control, {}, { trace: (note) => steps.push(note) })
    assert.equal(JSON.stringify([steps, outcome]).includes('secret'), false)
  })
})
