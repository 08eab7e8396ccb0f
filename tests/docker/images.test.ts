import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../..', name), 'utf8')
const dockerfiles = ['docker/jobs.Dockerfile', 'docker/airflow.Dockerfile', 'docker/filter/Dockerfile']
const compose = read('docker-compose.yml')

describe('the images', () => {
  it('leave no install script out: no package of production has one', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean; devOptional?: boolean; hasInstallScript?: boolean }>
    }
    const withScript = Object.entries(packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    )
    expect(withScript.length).toBeGreaterThan(0)
    expect(withScript.filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)).toEqual([])
  })

  it.each(dockerfiles)(
    '%s has the version of package.json and the frontend that all builders know',
    (name) => {
      const { version } = JSON.parse(read('package.json')) as { version: string }
      const text = read(name)
      expect(text.startsWith('# syntax=docker/dockerfile:1\n')).toBe(true)
      expect(/image\.version="([^"]*)"/.exec(text)?.[1]).toBe(version)
    },
  )

  it('have the same pinned base in their Dockerfile, in Compose and in .env.example', () => {
    const bases = dockerfiles.flatMap((name) => [...read(name).matchAll(/^ARG (\w+_IMAGE)=(.*)$/gm)])
    expect(bases.length).toBe(3)
    for (const [, name = '', base = ''] of bases) {
      expect(compose).toContain(`${name}: \${${name}:-${base}}`)
      expect(read('.env.example')).toContain(`#${name}=${base}\n`)
      expect(base).toMatch(/:[\w.-]*\d[\w.-]*$/)
    }
  })

  it('are all pinned, and may all be another', () => {
    const images = [...compose.matchAll(/^(?: +image: |x-\w+-image: &\S+ )(?!\*)(.*)$/gm)].map(
      ([, image = '']) => image,
    )
    expect(images).toHaveLength(6)
    for (const image of images) expect(image).toMatch(/^\$\{[A-Z_]+_IMAGE:-[^}]+:[^}]+\}$/)
  })
})
