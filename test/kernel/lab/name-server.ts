// A name server that knows one address, IPv4 only; run as a program of its own in a namespace: ADDRESS FILE.
// While FILE is there it takes questions and is silent.
import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'

const [, , address = '', silence = ''] = process.argv
const server = createSocket('udp4')
server.on('message', (question, from) => {
  if (!existsSync(silence)) server.send(answerTo(question), from.port, from.address)
})
server.bind(53, '127.0.0.53', () => console.log('listening'))

/** RFC 1035 4.1: the question comes back, with one record of type A when it asked for that. */
function answerTo(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5
  const asked = question.subarray(12, end)
  const isA = question.readUInt16BE(end - 4) === 1
  const head = Buffer.from([...question.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0])
  const record = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]
  return Buffer.concat([head, asked, Buffer.from(isA ? record : [])])
}
