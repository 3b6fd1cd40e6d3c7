import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { lineServer, saysAndCloses } from '../check/line-server.ts'
import { programStage } from './program-stage.ts'

describe('the daemon whose mail server is out of order', function () {
  this.timeout(60_000)
  const stage = programStage()
  const { folder, file, until } = stage
  let mailServer: Server | undefined
  afterEach(async () => {
    if (mailServer !== undefined) await new Promise((resolve) => mailServer?.close(resolve))
    mailServer = undefined
  })

  it('takes real servers out and in meanwhile, tells the trouble once, and sends what was kept when it works', async () => {
    const willing = lineServer({
      greeting: '220 mail.example.test ESMTP\r\n',
      answers: [
        [/^EHLO /, '250 mail.example.test\r\n'],
        [/^(MAIL|RCPT) /, '250 ok\r\n'],
        [/^DATA$/, '354 go on\r\n'],
        [/^\.$/, '250 taken\r\n'],
        [/^QUIT$/, saysAndCloses('221 bye\r\n')],
      ],
    })
    const mute = new Set<Socket>()
    let works = false
    mailServer = createServer((socket) => {
      socket.on('error', () => undefined)
      if (works) willing.behave(socket)
      else mute.add(socket.resume())
    })
    mailServer.listen(0, '127.0.0.1')
    await once(mailServer, 'listening')
    const { port: mailPort } = mailServer.address() as { port: number }

    const port = await stage.listen()
    writeFileSync(
      folder.path('a.cf'),
      `logfile="${folder.path('log')}"\ncheckinterval=1\nemailalert="ops@example.test"\nemailalertfrom="director@example.test"\n` +
        `emailalertstatus=running\nsmtp=127.0.0.1\nsmtpport=${mailPort}\n` +
        `virtual=192.0.2.10:80\n    real=127.0.0.1:${port} masq\n    checktype=connect\n`,
    )
    const { child, ended } = stage.launch('run', '--table', 'memory', 'a.cf')
    const times = (pattern: RegExp): number => [...file('log').matchAll(pattern)].length
    await until(() => times(/Added real server/g) === 1)
    // Nothing is said to the first mail, and the others wait behind it.
    for (const turn of [1, 2]) {
      await new Promise((resolve) => stage.servers.pop()?.close(resolve))
      await until(() => times(/Deleted real server/g) === turn)
      await stage.listen(port)
      await until(() => times(/Added real server/g) === turn + 1)
      await until(() => mute.size > 0)
    }
    assert.equal(times(/emailalert/g), 0)
    works = true
    for (const socket of mute) socket.destroy()
    await until(() => times(/emailalert: /g) === 4)
    assert.equal(times(/failed to send SMTP email message: 127\.0\.0\.1/g), 1)
    assert.deepEqual(
      willing.heard.filter((line) => /^Subject: /.test(line)).map((line) => line.replace(/.*(Deleted|Added) .*/, '$1')),
      ['Deleted', 'Added', 'Deleted', 'Added'],
    )
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })
})
