/* Long work in slices on a stack of its own. */
#include "unit/unit.h"

#include <errno.h>
#include <sys/mman.h>

#include "vault/work.h"

struct scene {
	struct work *work;
	unsigned pauses, paused;
	uintptr_t page; /* of its stack */
	enum err end;
};

static void work(void *ctx)
{
	struct scene *scene = ctx;

	scene->page = (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)4095;
	for (; !scene->end && scene->paused < scene->pauses; scene->paused++)
		scene->end = work_pause(scene->work);
}

static bool is_mapped(uintptr_t page)
{
	unsigned char there;

	return mincore((void *)page, 4096, &there) == 0 || errno != ENOMEM; // NOLINT
}

static void begin(struct scene *scene, unsigned pauses)
{
	*scene = (struct scene){ .pauses = pauses };
	assert_ok(work_new(work, scene, &scene->work));
}

static void test_slices(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(work_run(scene.work, 0));
		assert_int_equal(scene.paused, i);
	}
	assert_true(work_run(scene.work, 0));
	assert_ok(scene.end);
	work_free(scene.work);
}

static void test_its_end(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 3);
	assert_false(work_run(scene.work, 0));
	work_free(scene.work);
	assert_err(scene.end, ERR_CLOSED);
	begin(&scene, 3);
	work_free(scene.work);
	assert_int_equal(scene.paused, 0);
}

/* Whether it came to its end or was ended. */
static void test_nothing_stays_of_its_stack(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 0);
	assert_true(work_run(scene.work, 0));
	assert_true(is_mapped(scene.page));
	work_free(scene.work);
	assert_false(is_mapped(scene.page));
	begin(&scene, 1);
	assert_false(work_run(scene.work, 0));
	work_free(scene.work);
	assert_false(is_mapped(scene.page));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_its_end),
		cmocka_unit_test(test_nothing_stays_of_its_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
