use crate::bed::Bed;
#[test]
fn placeholder() {
    let _ = Bed::start();
}
