import type { Answer } from './agent.ts'

/** How often each answer or error was got. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const key = 'body' in answer ? answer.body : answer.error
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
