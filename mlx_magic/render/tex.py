"""Which TeX may reach MathJax: nothing that makes links, styles, attributes or macros.

MathJax has commands that set any attribute of what they draw (`\\mmlToken`, `\\unicode`, `\\href`),
and its own filter lets some of them load from the network. So what may be drawn is listed, and
anything else stays as its source.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMANDS = _words("""
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda
    mu nu xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega digamma aleph beth gimel daleth
    hbar hslash ell wp Re Im imath jmath partial nabla infty emptyset varnothing complement
    arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf
    limsup ln log max min Pr sec sin sinh sup tan tanh mod bmod pmod pod operatorname sum prod
    coprod int iint iiint oint bigcap bigcup bigvee bigwedge bigoplus bigotimes bigodot bigsqcup
    biguplus limits nolimits argmax argmin
    le leq leqslant ge geq geqslant lt gt ne neq equiv sim simeq approx approxeq cong doteq
    propto asymp prec preceq succ succeq subset subseteq subsetneq supset supseteq supsetneq
    sqsubset sqsubseteq sqsupset sqsupseteq in ni notin owns mid nmid parallel perp vdash dashv
    models ll gg lll ggg lesssim gtrsim triangleq coloneqq bowtie smile frown not
    pm mp times div cdot cdotp ast star circ bullet oplus ominus otimes oslash odot dagger
    ddagger cap cup uplus sqcap sqcup vee lor wedge land setminus smallsetminus wr amalg diamond
    lnot neg bigtriangleup bigtriangledown triangleleft triangleright forall exists nexists
    therefore because top bot angle measuredangle triangle square blacksquare Box Diamond
    clubsuit diamondsuit heartsuit spadesuit flat natural sharp surd checkmark degree prime
    backprime
    to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow uparrow
    downarrow updownarrow Uparrow Downarrow mapsto longmapsto longleftarrow longrightarrow
    Longleftarrow Longrightarrow Longleftrightarrow longleftrightarrow hookleftarrow
    hookrightarrow nearrow searrow swarrow nwarrow rightleftharpoons leftharpoonup implies
    impliedby iff leadsto rightsquigarrow xrightarrow xleftarrow
    left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr langle
    rangle lceil rceil lfloor rfloor lvert rvert lVert rVert vert Vert lbrace rbrace lbrack
    rbrack backslash cdots ldots dots dotsc dotsb dotsm vdots ddots quad qquad enspace thinspace
    displaystyle textstyle scriptstyle scriptscriptstyle hline cr nonumber notag strut phantom
    hphantom vphantom smash
    frac dfrac tfrac cfrac binom dbinom tbinom sqrt root over choose atop overline underline
    overbrace underbrace overset underset stackrel boxed substack sideset overrightarrow
    overleftarrow widehat widetilde hat tilde bar vec dot ddot acute grave check breve mathring
    cancel bcancel xcancel begin end
    text textbf textit textrm texttt textsf mathrm mathbf mathit mathsf mathtt mathbb mathcal
    mathfrak mathscr boldsymbol bm rm bf it mathop mathbin mathrel mathord mathopen mathclose
    mathpunct mathinner
""")
_ENVIRONMENTS = _words("""
    matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix cases array aligned align
    alignedat gathered gather split equation multline eqnarray subarray
""")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%")  # not `\%`
_ATTRIBUTES = re.compile(r"\\[bx]?cancel\s*\[")  # \cancel[color=red]{x}
_COMMAND = re.compile(r"\\([A-Za-z@]+)\*?")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\s*([A-Za-z]*)\*?\s*\}")


def is_safe(source: str) -> bool:
    """Whether MathJax may draw it.

    >>> is_safe(r"\\frac{a}{b}"), is_safe(r"\\href{https://example.org}{x}")
    (True, False)
    """
    if _COMMENT.search(source):  # it might hide the rest of a name
        return False
    if _ATTRIBUTES.search(source):
        return False
    if set(_COMMAND.findall(source)) - _COMMANDS:
        return False
    environments = _ENVIRONMENT.findall(source)
    marks = len(re.findall(r"\\(?:begin|end)(?![A-Za-z@])", source))
    return len(environments) == marks and _ENVIRONMENTS.issuperset(environments)
