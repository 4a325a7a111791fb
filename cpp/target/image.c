/* Compiled into every program under check, first: hands the controller the places from which on constructors and
 * destructors are the program's own. Those before are of the sanitizers and must run once, when the program is
 * loaded; the others run anew in every execution. */
void threadbare_image_loaded(void (*first_constructor)(void), void (*first_destructor)(void));

/* The priority stands at the first declaration: g++ forgets it elsewhere. */
__attribute__((destructor(101))) static void leave(void);

__attribute__((constructor(101))) static void enter(void) { threadbare_image_loaded(enter, leave); }
/* Not empty, or g++ leaves it out of the list of destructors. */
static void leave(void) { __asm__ volatile(""); }
