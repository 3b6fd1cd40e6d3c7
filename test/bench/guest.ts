// Runs inside the lab; main.ts starts it there and reads what it leaves in the file named by LAB_RESULTS.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { serverArena } from '../kernel/lab/topology.ts'
import type { Ring } from './contest.ts'
import { measureDetection, measureEffort, measureSize } from './measures.ts'
import { isThere, type Program, programs, versionOf } from './programs.ts'
import type { LabResults } from './results.ts'
import { startServers } from './servers.ts'

const { LAB_RESULTS: file } = process.env
if (file === undefined) throw new Error('LAB_RESULTS names the file for the results')

const say = (text: string): void => console.log(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`)

/** Shows what was found at once: a run that is cut short was not for nothing. */
async function stage<T>(name: string, work: () => Promise<T>): Promise<T> {
  say(name)
  const found = await work()
  console.log(JSON.stringify(found, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)))
  return found
}

async function measure(ring: Ring): Promise<LabResults> {
  const size = await stage('start, reload and memory with many real servers', () => measureSize(ring))
  const connect = await stage('CPU per probe, connect', () => measureEffort(ring, 'connect'))
  const http = await stage('CPU per probe, http', () => measureEffort(ring, 'http'))
  const detectionMs = await stage('detection among silent servers', () => measureDetection(ring))
  return {
    missing: programs.filter((program) => !isThere(program)),
    versions: Object.fromEntries(programs.filter(isThere).map((program: Program) => [program, versionOf(program)])),
    kernel: execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim(),
    cpuPerThousand: { http, connect },
    detectionMs,
    ...size,
  }
}

const arena = await serverArena()
const servers = startServers(arena.servers.name)
try {
  await servers.listen({ port: 80 })
  writeFileSync(file, JSON.stringify(await measure({ arena, servers }), null, 2))
  say('done')
} finally {
  await servers.close()
  await arena.close()
}
