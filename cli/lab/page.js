// Timelines of a page: zooms, moves, and tells what is under the mouse or chosen by the keyboard.
'use strict';

const tip = document.getElementById('tip');

// As svg_step() and svg_time() of svg.c.
function step_of(range, nr) {
	for (let step = 1; ; step *= 10)
		for (const times of [1, 2, 5])
			if (step * times * nr >= range)
				return step * times;
}

function time_text(ns, step, last) {
	const [name, unit] = [['s', 1e9], ['ms', 1e6], ['µs', 1e3], ['ns', 1]]
		.find(([, unit]) => last >= unit || unit === 1);
	let digits = 0;

	for (let part = unit; part > step; part /= 10)
		digits++;
	return (ns / unit).toFixed(digits) + ' ' + name;
}

function svg_element(name, attributes, text) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', name);

	for (const [key, value] of Object.entries(attributes))
		element.setAttribute(key, value);
	if (text)
		element.textContent = text;
	return element;
}

class Timeline {
	constructor(figure) {
		const time = figure.querySelector('g.time');

		this.figure = figure;
		this.svg = figure.querySelector('svg');
		for (const key of ['left', 'width', 'from', 'to', 'first', 'last'])
			this[key] = Number(time.dataset[key]);
		this.axes = [...time.querySelectorAll('g.axis')];
		this.part = figure.querySelector('.overview .view');
		this.runs = [...time.querySelectorAll('g.run')].map(element => this.read(element));
		this.listen();
		this.show(this.first, this.last);
	}

	// Where its parts are, in ns.
	read(element) {
		const scale = (this.to - this.from) / this.width;
		const parts = [...element.querySelectorAll('rect, use')].map(part => {
			const x = Number(part.getAttribute('x'));
			const width = Number(part.getAttribute('width'));
			const least = part.dataset.w === undefined ? 0 : width;

			return { part, at: this.from + (x - this.left) * scale, least,
				 took: (least ? Number(part.dataset.w) : width) * scale };
		});
		const title = element.querySelector('title');
		const text = title.textContent;

		title.remove();
		return { element, parts, text,
			 begin: Math.min(...parts.map(part => part.at)),
			 start: parts[parts.length - 1].at,
			 end: Math.max(...parts.map(part => part.at + part.took)) };
	}

	x(ns) {
		return this.left + (ns - this.a) * this.width / (this.b - this.a);
	}

	ns(event) {
		const point = new DOMPoint(event.clientX, event.clientY)
			.matrixTransform(this.svg.getScreenCTM().inverse());

		return this.a + (point.x - this.left) * (this.b - this.a) / this.width;
	}

	show(a, b) {
		const whole = this.to - this.from;
		const range = Math.min(Math.max(b - a, Math.min(100, whole)), whole);

		a = Math.min(Math.max(a, this.from), this.to - range);
		[this.a, this.b] = [a, a + range];
		for (const run of this.runs) {
			const seen = run.end >= this.a && run.begin <= this.b;

			run.element.style.display = seen ? '' : 'none';
			for (const { part, at, least, took } of seen ? run.parts : []) {
				const width = took * this.width / range;

				// What is far outside would be too large a number to draw.
				const from = Math.max(this.x(at), this.left - 20);
				const to = Math.min(this.x(at) + width, this.left + this.width + 20);

				part.setAttribute('x', part.tagName === 'use' ? this.x(at) : from);
				if (part.tagName === 'rect')
					part.setAttribute('width', Math.max(least, to - from, 0));
			}
		}
		this.axes.forEach(axis => this.draw_axis(axis));
		this.part.setAttribute('x', this.left + (this.a - this.from) * this.width / whole);
		this.part.setAttribute('width', Math.max(range * this.width / whole, 1));
		this.figure.dataset.view = [this.a, this.b].map(ns => Math.round(ns)).join(' ');
	}

	draw_axis(axis) {
		const { top, bottom } = axis.dataset;
		const step = step_of(this.b - this.a, 8);

		axis.replaceChildren();
		const first = Math.ceil(this.a / step);

		for (let nr = 0; nr <= 8 && (first + nr) * step <= this.b; nr++) {
			const at = (first + nr) * step;
			const x = this.x(at).toFixed(2);

			axis.append(svg_element('line', { class: 'grid', x1: x, x2: x, y1: top,
							  y2: Number(bottom) + 4 }),
				    svg_element('text', { class: 'mid dim', x,
							  y: Number(bottom) + 16 },
						time_text(at, step, this.b)));
		}
	}

	zoom(factor, at = (this.a + this.b) / 2) {
		this.show(at - (at - this.a) * factor, at + (this.b - at) * factor);
	}

	move(part) {
		const by = part * (this.b - this.a);

		this.show(this.a + by, this.b + by);
	}

	// The next run, or the one before, from the one that is chosen.
	choose(by) {
		const nr = this.runs.length;
		let next = this.here === undefined ? (by > 0 ? 0 : nr - 1) : this.here + by;

		if (this.here === undefined)
			next = Math.max(this.runs.findIndex(run => run.start >= this.a), 0);
		if (next < 0 || next >= nr)
			return;
		this.leave();
		this.here = next;
		this.reach(this.runs[next]);
		this.tell(this.runs[next]);
	}

	reach(run) {
		if (run.start < this.a || run.start > this.b)
			this.move((run.start - (this.a + this.b) / 2) / (this.b - this.a));
	}

	tell(run, event) {
		const box = run.parts[run.parts.length - 1].part.getBoundingClientRect();
		const x = event ? event.clientX : box.left, y = event ? event.clientY : box.bottom;

		run.element.classList.add('here');
		tip.textContent = run.text;
		tip.style.display = 'block';
		tip.style.left = Math.min(x + 12, document.documentElement.clientWidth -
					  tip.offsetWidth - 8) + window.scrollX + 'px';
		tip.style.top = y + 14 + window.scrollY + 'px';
	}

	leave() {
		for (const element of this.figure.querySelectorAll('.here'))
			element.classList.remove('here');
		tip.style.display = 'none';
	}

	act(what) {
		const actions = {
			'+': () => this.zoom(0.5), '=': () => this.zoom(0.5),
			'-': () => this.zoom(2),
			'ArrowLeft': () => this.move(-0.25), 'ArrowRight': () => this.move(0.25),
			'0': () => this.show(this.from, this.to),
			'1': () => this.show(this.first, this.last),
			'n': () => this.choose(1), 'p': () => this.choose(-1),
			'Escape': () => { this.leave(); this.here = undefined; },
		};

		if (actions[what])
			actions[what]();
		return Boolean(actions[what]);
	}

	listen() {
		const run_of = event => {
			const element = event.target.closest('g.run');

			return element && this.runs.find(run => run.element === element);
		};
		let drag;

		this.figure.addEventListener('keydown', event => {
			if (!event.ctrlKey && !event.metaKey && !event.altKey && this.act(event.key))
				event.preventDefault();
		});
		this.figure.querySelectorAll('button').forEach(button =>
			button.addEventListener('click', () => this.act(button.dataset.key)));
		this.svg.addEventListener('mousemove', event => {
			const run = drag ? undefined : run_of(event);

			this.leave();
			if (run)
				this.tell(run, event);
		});
		this.svg.addEventListener('mouseleave', () => this.leave());
		this.svg.addEventListener('wheel', event => {
			if (!event.ctrlKey && !event.metaKey)
				return;
			event.preventDefault();
			this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.ns(event));
		}, { passive: false });
		this.svg.addEventListener('dblclick', event => this.zoom(0.5, this.ns(event)));
		this.svg.addEventListener('pointerdown', event => {
			drag = { at: this.ns(event), a: this.a, b: this.b };
			this.svg.setPointerCapture(event.pointerId);
			this.figure.focus({ preventScroll: true });
		});
		this.svg.addEventListener('pointermove', event => {
			if (drag)
				this.show(this.a + drag.at - this.ns(event),
					  this.b + drag.at - this.ns(event));
		});
		for (const end of ['pointerup', 'pointercancel'])
			this.svg.addEventListener(end, () => { drag = undefined; });
	}
}

const timelines = [...document.querySelectorAll('figure.timeline')]
	.map(figure => new Timeline(figure));

// page.html#t=1.5,2: from 1.5 ms to 2 ms, of the first timeline.
function follow_hash() {
	const part = /^#t=([0-9.]+),([0-9.]+)$/.exec(location.hash);

	if (part && timelines.length)
		timelines[0].show(part[1] * 1e6, part[2] * 1e6);
}

window.addEventListener('hashchange', follow_hash);
follow_hash();
