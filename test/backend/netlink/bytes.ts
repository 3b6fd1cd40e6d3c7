/** Bytes from hex words; blanks and everything after `//` on a line are for the reader. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\/\/.*$/gm, '').replace(/\s/g, ''), 'hex')
}

const u32 = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString('hex')

/** A family lookup's answer: only what is read of it. */
export function familyReply(seq: number, family: number): Buffer {
  const id = Buffer.from(Uint16Array.of(family).buffer).toString('hex')
  return hex(`1c000000 1000 0000 ${u32(seq)} 00000000 01020000 0600 0100 ${id} 0000`)
}

/** NLMSG_ERROR: an errno as the kernel sends it, or 0 for an acknowledgement. */
export function errorReply(seq: number, errno: number): Buffer {
  return hex(`24000000 0200 0000 ${u32(seq)} 00000000 ${u32(-errno >>> 0)} 14000000 00000000 ${u32(seq)} 00000000`)
}

export function doneReply(seq: number, errno = 0): Buffer {
  return hex(`14000000 0300 0200 ${u32(seq)} 00000000 ${u32(-errno >>> 0)}`)
}

export function withSeq(message: Buffer, seq: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt32LE(seq, 8)
  return copy
}

/** Two services and a destination of each as Linux 6.1 dumps them, the statistics cut short. */
export const dumped = {
  sip: hex(`
    70000000 1c00 0200 02001000 b1020008   01 01 0000
    5c00 0100
    0600 0100 0200 0000                            // IPv4
    0600 0200 1100 0000                            // udp
    1400 0300 c000020c 00000000 00000000 00000000  // 192.0.2.12, always 16 bytes
    0600 0400 13c4 0000                            // port 5060
    0700 0600 6c6300 00                            // lc
    0800 0b00 73697000                             // sip
    0c00 0700 03000000 ffffffff                    // persistent, hashed
    0800 0800 3c000000                             // 60 s
    0800 0900 ffffff00`),
  mark: hex(`
    4c000000 1c00 0200 02001000 b1020008   01 01 0000
    3800 0100
    0600 0100 0a00 0000                            // IPv6
    0800 0500 05000000                             // mark 5
    0700 0600 736800 00                            // sh
    0c00 0700 13000000 ffffffff                    // persistent, hashed, flag-2
    0800 0800 2c010000                             // 300 s
    0800 0900 40000000`),
  gue: hex(`
    84000000 1c00 0200 03001000 b1020008   05 01 0000
    7000 0200
    1400 0100 c0000215 00000000 00000000 00000000
    0600 0200 13c4 0000
    0800 0300 02000000                             // tunnel
    0800 0400 07000000                             // weight 7
    0500 0d00 01 000000                            // gue
    0600 0e00 17c0 0000
    0600 0f00 0000 0000
    0800 0500 0a000000                             // upper
    0800 0600 05000000                             // lower
    0800 0700 03000000                             // active
    0800 0800 04000000                             // inactive
    0800 0900 00000000`),
  gate6: hex(`
    5c000000 1c00 0200 04001000 b1020008   05 01 0000
    4800 0200
    1400 0100 20010db8 00000000 00000000 00000021
    0600 0200 0000 0000
    0800 0300 03000000                             // gate
    0800 0400 01000000
    0500 0d00 00 000000
    0800 0500 00000000
    0600 0b00 0a00 0000                            // IPv6`),
}
