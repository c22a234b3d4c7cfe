// The viewer: a dialog with one video and its receipt.

const viewer = (() => {
  const dialog = $('viewer');
  let current = -1;
  let hasEntry = false;
  // Whether the user navigated away, so that the URL is correct already.
  let navigatedAway = false;

  function show(index) {
    current = index;
    const video = shown[index];
    $('position').textContent = `${count(index + 1)} of ${count(shown.length)}`;
    $('previous').disabled = index === 0;
    $('next').disabled = index === shown.length - 1;
    $('stage').classList.toggle('tall', video.tall);
    clear();
    $('details').replaceChildren(...details(video));
    $('details').scrollTop = dialog.scrollTop = 0;
    if (!dialog.open) {
      dialog.showModal();
      document.body.classList.add('viewing');
    }
    play(video);
    $('details').focus({ preventScroll: true });
  }

  function play(video) {
    if (!video.videoFile) {
      $('stage').append(video.lastFrame
        ? make('img', { alt: 'Last frame', src: video.lastFrame.link })
        : make('p', { textContent: `${video.files[0]?.name ?? 'This file'} cannot be played in the browser.` }));
      return;
    }
    const player = make('video', { controls: true, playsInline: true, loop: true, preload: 'auto' });
    player.setAttribute('aria-label', video.prompt || video.id);
    if (video.lastFrame) player.poster = video.lastFrame.link;
    player.addEventListener('error', () => {
      if (!player.isConnected) return;
      $('stage').replaceChildren(make('p', { textContent: linksExpired()
        ? 'The links on this page have expired. Create the page again to view the video.'
        : 'This video cannot be loaded. It may have been moved or deleted since this page was created.' }));
    });
    player.src = video.videoFile.link;
    $('stage').append(player);
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) player.play().catch(() => {});
  }

  /** Stops the video and its download. */
  function clear() {
    const player = $('stage').querySelector('video');
    $('stage').replaceChildren();
    if (player) {
      player.removeAttribute('src');
      player.load();
    }
  }

  function details(video) {
    const parts = [make('h2', { id: 'title', className: video.prompt ? '' : 'id', textContent: video.prompt || video.id })];
    if (video.warnings.length) {
      parts.push(make('ul', { className: 'warnings' }, ...video.warnings.map(warning => make('li', { textContent: warning }))));
    }
    parts.push(facts(video), make('h3', { textContent: 'Files' }), ...video.files.map(entry));
    parts.push(make('div', { className: 'file' }, link('Receipt', video.receipt)));
    for (const file of video.files) {
      if (file.checks) parts.push(make('h3', { textContent: `Checks: ${file.name}` }), checks(file.checks));
    }
    return parts;
  }

  function facts(video) {
    const all = [
      // Without a prompt, the title is the id.
      ['Task', video.prompt && video.id, 'mono'],
      ['Account', video.account],
      ['Model', video.model],
      ['Draft', video.draft && 'yes'],
      ['Finals', video.finals.length > 0 && video.finals.map(visitor)],
      ['Made from', video.madeFrom ? [visitor(video.madeFrom)] : video.draft_task_id, 'mono'],
      ['Created', time(minute, video.created)],
      ['Archived', time(minute, video.archived)],
      ['Length', length(video)],
      ['Resolution', video.resolution],
      ['Ratio', video.ratio],
      ['Seed', video.seed === undefined ? '' : String(video.seed)],
      ['Size', bytes(video.size)],
      ['Tokens', video.tokens ? count(video.tokens) : ''],
      ['Source', video.source],
      ['Archiver version', video.archiver],
    ];
    return make('dl', {}, ...all.filter(([, value]) => value).flatMap(([name, value, className = '']) =>
      [make('dt', { textContent: name }), make('dd', { className }, ...[value].flat())]));
  }

  /** Creates a button that shows another video. */
  function visitor(video) {
    const button = make('button', { type: 'button', className: 'mono', textContent: video.id });
    button.addEventListener('click', () => visit(video));
    return button;
  }

  /** Shows another video in place of this one, also if the filters hide it. */
  function visit(video) {
    if (!shown.includes(video)) {
      $('filters').reset();
      onFilterChange();
    }
    const index = shown.indexOf(video);
    history.replaceState(null, '', fragment(video.key));
    show(index);
  }

  const link = (text, href) => make('a', { textContent: text, href, target: '_blank', rel: 'noopener noreferrer' });

  function entry(file) {
    const copy = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    copy.setAttribute('aria-label', `Copy the SHA-256 of ${file.name}`);
    const digest = make('code', { textContent: file.sha256, title: 'SHA-256' });
    copy.addEventListener('click', async () => {
      copy.textContent = await copyText(digest) ? 'Copied' : 'Selected';
      setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
    });
    return make('div', { className: 'file' },
      make('span', { textContent: [file.type, bytes(file.size)].filter(Boolean).join(', ') }),
      link(file.name, file.link),
      file.sha256 ? make('div', { className: 'digest' }, digest, copy) : null);
  }

  /** Copies the text of an element. If the browser denies access to the clipboard, leaves the text selected. */
  async function copyText(element) {
    getSelection().selectAllChildren(element);
    try {
      await navigator.clipboard.writeText(element.textContent);
      getSelection().empty();
      return true;
    } catch {
      return document.execCommand('copy');
    }
  }

  function checks(list) {
    const rows = list.map(([name, result, expected, found]) => {
      const passed = result === 'passed';
      const mark = make('span', { className: 'mark', textContent: passed ? '✓' : '!' });
      mark.setAttribute('role', 'img');
      mark.setAttribute('aria-label', passed ? 'passed' : 'warning');
      const heading = make('th', { scope: 'row' }, mark, name.replaceAll('_', ' '));
      const cells = expected && expected === found
        ? [make('td', { textContent: found, colSpan: 2, className: ['crc64', 'md5'].includes(name) ? 'same mono' : 'same' })]
        : [make('td', { textContent: expected || '–' }), make('td', { textContent: found })];
      return make('tr', { className: passed ? '' : 'warning' }, heading, ...cells);
    });
    const head = ['Check', 'Expected', 'Found'].map(textContent => make('th', { scope: 'col', textContent }));
    return make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
  }

  /** Opens the viewer with a history entry, so that the browser's back button closes it. */
  function open(index) {
    history.pushState(null, '', fragment(shown[index].key));
    hasEntry = true;
    show(index);
  }

  function step(by) {
    const index = current + by;
    if (index < 0 || index >= shown.length) return;
    history.replaceState(null, '', fragment(shown[index].key));
    show(index);
  }

  function hide() {
    if (!dialog.open) return;
    navigatedAway = true;
    dialog.close();
  }

  function onClose() {
    clear();
    document.body.classList.remove('viewing');
    if (!navigatedAway) {
      if (hasEntry) history.back();
      else history.replaceState(null, '', fragment());
    }
    navigatedAway = hasEntry = false;
    grid.focus(current);
  }

  function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isPlayer = event.target.localName === 'video';
    const steps = { n: 1, p: -1, ...(isPlayer ? {} : { ArrowRight: 1, ArrowLeft: -1 }) };
    const player = $('stage').querySelector('video');
    if (event.key in steps) step(steps[event.key]);
    else if (event.key === ' ' && event.target === $('details') && player) player.paused ? player.play() : player.pause();
    else return;
    event.preventDefault();
  }

  dialog.addEventListener('close', onClose);
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
  $('previous').addEventListener('click', () => step(-1));
  $('next').addEventListener('click', () => step(1));
  $('close').addEventListener('click', () => dialog.close());
  return { open, show, hide, key, isOpen: () => dialog.open };
})();

// Start.

document.addEventListener('keydown', event => {
  if (viewer.isOpen()) return viewer.key(event);
  const isInControl = event.target.matches('input[type="search"], select');
  if (event.key === '/' && !isInControl && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $('q').focus();
    $('q').select();
  } else if (event.target === $('q') && (event.key === 'Enter' || event.key === 'ArrowDown')) {
    event.preventDefault();
    grid.focus(0);
  } else {
    grid.key(event);
  }
});
$('filters').addEventListener('submit', event => event.preventDefault());
$('q').addEventListener('input', onFilterChange);
for (const id of ['model', 'account', 'sort', 'warnings']) $(id).addEventListener('change', onFilterChange);
$('clear').addEventListener('click', () => {
  $('filters').reset();
  onFilterChange();
  $('q').focus();
});
addEventListener('popstate', restore);

addOptions($('model'), 'All models', page.videos.map(video => video.model));
addOptions($('account'), 'All accounts', page.videos.map(video => video.account));
showSummary();
restore();
setInterval(showExpiry, 60_000);
