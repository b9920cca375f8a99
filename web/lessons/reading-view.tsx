import { type MouseEvent, useEffect, useMemo, useRef } from 'react'
import type { Block, Step } from '../../lessons/format.ts'
import { runCommand } from '../commands.ts'
import { CheckList } from './check-list.tsx'
import { Computer } from './computer.tsx'
import { followLabLink } from './lab-links.ts'
import { Html } from './html.tsx'
import { LESSON } from './lesson-commands.ts'
import { neighbours, progressOf, type ShelfLesson, useLessons } from './lesson-store.ts'
import { goToStep, reading } from './open-lesson.ts'
import { PredictionBox } from './prediction-box.tsx'
import { Notes, renderProse, versionsText } from './prose.ts'
import { QuestionBox } from './question-box.tsx'
import { RunBar } from './run-bar.tsx'
import { kernelNames } from './lesson-kernels.ts'
import { scrollsItself, scrollToStep } from './page-scroll.ts'
import { StepRail } from './step-rail.tsx'

/** A lesson as a page of a book whose margins act. */
export function ReadingView({ lesson, checks }: ShelfLesson) {
  const page = useRef<HTMLDivElement>(null)
  const progress = useLessons(state => progressOf(lesson.id, state))
  const astray = useLessons(state => state.astray)

  // Where it was read last; a new lesson begins at its beginning. Lines break anew when the fonts are there.
  useEffect(() => {
    const toPlace = () => {
      const { step } = useLessons.getState()
      if (step !== '') scrollToStep(step, false)
    }
    toPlace()
    if (document.fonts.status !== 'loaded') void document.fonts.ready.then(toPlace)
  }, [])

  useEffect(() => {
    const scroller = page.current
    if (scroller === null) return
    const look = () => reading(stepAt(scroller))
    // A scroll to a step has come to rest when nothing has moved for a moment.
    let timer: ReturnType<typeof setTimeout> | undefined
    const later = () => {
      clearTimeout(timer)
      timer = setTimeout(look, 120)
    }
    scroller.addEventListener('scroll', later, { passive: true })
    // In one column the window scrolls.
    window.addEventListener('scroll', later, { passive: true })
    return () => {
      clearTimeout(timer)
      scroller.removeEventListener('scroll', later)
      window.removeEventListener('scroll', later)
    }
  }, [])

  const onClick = (event: MouseEvent) => {
    const link = (event.target as Element).closest<HTMLElement>('a[data-lab]')
    if (link === null) return
    event.preventDefault()
    followLabLink(link.dataset['lab'] ?? '')
  }

  const side = progress.showing === 'solution' ? progress.solution : progress.own
  return (
    <section className="lessons reading" aria-label={`Lesson ${lesson.number}: ${lesson.title}`}>
      <StepRail lesson={lesson} checks={checks} side={side} />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: links inside take Enter as a click */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: one listener for the links inside */}
      <div className="page-scroll" ref={page} onClick={onClick}>
        <article className="page">
          {astray !== null && (
            <p className="astray" role="status">
              {astray}
            </p>
          )}
          <header className="lesson-head" data-step="">
            <p className="lesson-number">Lesson {lesson.number.toUpperCase()}</p>
            <h2>{lesson.title}</h2>
            <p className="lesson-question">{lesson.question}</p>
            <p className="lesson-facts">
              {lesson.minutes} minutes · {kernelNames(lesson)}
            </p>
          </header>
          <Attempt lesson={lesson} showing={progress.showing} />
          <StepText step={{ id: '', title: '', blocks: lesson.intro, hints: [] }} />
          <Computer lesson={lesson} />
          {lesson.steps.map((step, i) => (
            <section key={step.id} className="lesson-step" data-step={step.id} aria-labelledby={`step-${step.id}`}>
              <h3 id={`step-${step.id}`}>
                <span className="step-number">{i + 1}</span>
                {step.title}
              </h3>
              <StepText step={step} />
              <Hints step={step} shown={progress.hints[step.id] ?? 0} />
              <CheckList lesson={lesson} checks={checks} step={step.id} side={side} />
            </section>
          ))}
          <End lesson={lesson} done={progress.done} />
        </article>
      </div>
      <RunBar lesson={lesson} checks={checks} side={side} />
    </section>
  )
}

/** The last step that begins above the upper third of what is seen. */
function stepAt(scroller: HTMLElement): string {
  const own = scrollsItself(scroller)
  const { top, height } = own
    ? { top: scroller.getBoundingClientRect().top, height: scroller.clientHeight }
    : { top: 0, height: window.innerHeight }
  const sections = [...scroller.querySelectorAll<HTMLElement>('[data-step]')]
  const atEnd = own && scroller.scrollTop > 0 && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2
  const at = atEnd
    ? sections.at(-1)
    : sections.findLast(section => section.getBoundingClientRect().top <= top + height / 3)
  return at?.dataset['step'] ?? ''
}

function StepText({ step }: { step: Step }) {
  const { blocks, notes } = useMemo(() => {
    const found = new Notes()
    // Numbers run through the step, in the order of reading.
    const html = step.blocks.map(block => (block.kind === 'markdown' ? renderProse(block.text, found) : ''))
    return { blocks: html, notes: found.all }
  }, [step.blocks])
  return (
    <>
      {step.blocks.map((block, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a lesson's blocks never change places
        <BlockView key={i} block={block} html={blocks[i] ?? ''} />
      ))}
      {notes.length > 0 && (
        <ol className="notes" aria-label="Where this was seen">
          {notes.map(({ symbol, versions }, i) => (
            <li key={`${symbol} ${versions.join()}`}>
              <span className="note-number">{i + 1}</span>
              <code>{symbol}</code> <span>{versionsText(versions)}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

function BlockView({ block, html }: { block: Block; html: string }) {
  if (block.kind === 'predict') return <PredictionBox prediction={block} />
  if (block.kind === 'question') return <QuestionBox question={block} />
  return <Html as="div" className="prose" html={html} />
}

function Hints({ step, shown }: { step: Step; shown: number }) {
  const html = useMemo(() => step.hints.map(hint => renderProse(hint)), [step.hints])
  if (step.hints.length === 0) return null
  const left = step.hints.length - shown
  return (
    <div className="hints" data-hints={step.id}>
      {html.slice(0, shown).map((text, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a lesson's hints never change places
        <aside key={i} className="hint" aria-label={`Hint ${i + 1}`}>
          <p className="label">Hint{step.hints.length > 1 ? ` ${i + 1}` : ''}</p>
          <Html as="div" className="prose" html={text} />
        </aside>
      ))}
      {left > 0 && (
        <button
          type="button"
          className="link"
          onClick={() => {
            reading(step.id)
            runCommand(LESSON.hint)
          }}
        >
          {shown === 0
            ? step.hints.length === 1
              ? 'Show a hint'
              : `Show a hint (${step.hints.length} in all)`
            : 'Show another hint'}
        </button>
      )}
    </div>
  )
}

/** Says whose files are shown, when they are not simply the learner's. */
function Attempt({ lesson, showing }: { lesson: ShelfLesson['lesson']; showing: 'own' | 'solution' }) {
  const hasBefore = useLessons(state => progressOf(lesson.id, state).before !== null)
  if (showing === 'solution') {
    const { runs } = lesson.attempts.solution
    return (
      <div className="attempt-note" role="status">
        <p>
          <strong>The solution is in the editor</strong>, in files of its own: run it, read it, change it. Your attempt
          waits as you left it.
        </p>
        {runs.length > 1 && (
          <p>
            It takes {runs.length} runs, on machines booted with{' '}
            {runs
              .map(run => (run.settings.mode === 'absent' ? 'no kvm-arm.mode' : `kvm-arm.mode=${run.settings.mode}`))
              .filter((text, i, all) => all.indexOf(text) === i)
              .join(', ')}
            .
          </p>
        )}
        {runs[0] !== undefined && runs[0].hostCalls.length > 0 && (
          <p>
            After the run, make these hypercalls by hand:{' '}
            {runs[0].hostCalls.map(({ call, args }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a lesson's calls never change places
              <code key={i}>
                {call}({args.join(', ')}){' '}
              </code>
            ))}
          </p>
        )}
        <button type="button" className="button" onClick={() => runCommand(LESSON.back)}>
          Back to my attempt
        </button>
      </div>
    )
  }
  if (!hasBefore) return null
  return (
    <p className="attempt-note" role="status">
      The lesson was reset.{' '}
      <button type="button" className="link" onClick={() => runCommand(LESSON.back)}>
        Back to my attempt
      </button>
    </p>
  )
}

function End({ lesson, done }: { lesson: ShelfLesson['lesson']; done: boolean }) {
  const { before, after } = neighbours(lesson.id)
  return (
    <footer className="lesson-end">
      {done && (
        <p className="lesson-done" role="status" data-testid="lesson-done">
          <strong>Every check has passed.</strong> The machine agrees with you.
        </p>
      )}
      <nav aria-label="Lessons before and after">
        {after !== null && (
          <button type="button" className={done ? 'button primary' : 'button'} onClick={() => runCommand(LESSON.next)}>
            Next: {after.title}
          </button>
        )}
        {before !== null && (
          <button type="button" className="link" onClick={() => runCommand(LESSON.previous)}>
            Before: {before.title}
          </button>
        )}
        <button type="button" className="link" onClick={() => runCommand(LESSON.list)}>
          All lessons
        </button>
        <button type="button" className="link" onClick={() => goToStep('')}>
          To the beginning
        </button>
      </nav>
    </footer>
  )
}
