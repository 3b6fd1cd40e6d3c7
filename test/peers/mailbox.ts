// A mail server on 127.0.0.1:25 of a namespace that takes everything, and prints each mail as one line of JSON.
import { createServer } from 'node:net'

export interface TakenMail {
  readonly sender: string
  readonly recipients: readonly string[]
  /** Folded lines put together again. */
  readonly headers: Readonly<Record<string, string>>
  /** As it came, lines end in LF. */
  readonly body: string
}

interface Envelope {
  sender: string
  recipients: string[]
  lines: string[]
}

const fresh = (): Envelope => ({ sender: '', recipients: [], lines: [] })

function taken({ sender, recipients, lines }: Envelope): TakenMail {
  const end = lines.indexOf('')
  const head = lines
    .slice(0, end)
    .join('\n')
    .replace(/\n[ \t]+/g, ' ')
  const headers = head.split('\n').map((line) => /^([^:]+): *(.*)$/.exec(line)?.slice(1) ?? [line, ''])
  const body = lines.slice(end + 1).map((line) => `${line.replace(/^\.\./, '.')}\n`)
  return { sender, recipients, headers: Object.fromEntries(headers), body: body.join('') }
}

createServer((socket) => {
  let envelope = fresh()
  let isData = false
  let rest = ''
  const hear = (line: string): void => {
    const path = /<(.*)>/.exec(line)?.[1] ?? ''
    if (isData && line !== '.') {
      envelope.lines.push(line)
      return
    }
    if (isData) {
      process.stdout.write(`${JSON.stringify(taken(envelope))}\n`)
      envelope = fresh()
      isData = false
    } else if (/^MAIL /i.test(line)) envelope.sender = path
    else if (/^RCPT /i.test(line)) envelope.recipients.push(path)
    else if (/^DATA/i.test(line)) isData = true
    else if (/^QUIT/i.test(line)) {
      socket.end('221 bye\r\n')
      return
    }
    socket.write(isData ? '354 go on\r\n' : '250 ok\r\n')
  }
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  })
  socket.write('220 mailbox ESMTP\r\n')
}).listen(25, '127.0.0.1', () => process.stdout.write('ready\n'))
